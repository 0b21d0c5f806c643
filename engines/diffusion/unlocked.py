"""A package of AOTInductor called without Python's lock, which torch's own loader keeps for as long as the network works:
then the parts of a pass would wait for each other on however many threads they are.

The library in the package has a C interface (torch/csrc/inductor/aoti_runtime/interface.h); ctypes lets go of the lock in a
call. Tensors go in and come out by the handles that torch gives for this.
"""

from __future__ import annotations

import ctypes
import tempfile
import zipfile
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p, py_object
from functools import cache
from pathlib import Path

import torch
from torch import Tensor


def load(file: Path, callers: int) -> Callable[..., Tensor]:
    """file: a package of a network with one result, on the processor. callers: threads that may call at the same time.

    Kept for as long as the process lives: the system never lets go of such a library, so a model that is put away and
    taken up again must not bring another. Raises whatever says that it cannot be had so: OSError, ValueError,
    AttributeError, RuntimeError.
    """
    return _loaded(file, file.stat().st_mtime_ns, callers)


@cache
def _loaded(file: Path, written: int, callers: int) -> Callable[..., Tensor]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, zipfile.ZipFile(file) as archive:
        inside, = [name for name in archive.namelist() if name.endswith((".so", ".pyd", ".dll"))]
        library = ctypes.CDLL(archive.extract(inside, place))        # it stays, though its file goes
    create, run = library.AOTInductorModelContainerCreateWithDevice, library.AOTInductorModelContainerRun
    create.argtypes, create.restype = [POINTER(c_void_p), c_size_t, c_char_p, c_char_p], c_int
    run.argtypes, run.restype = [c_void_p, POINTER(c_void_p), c_size_t, POINTER(c_void_p), c_size_t, c_void_p, c_void_p], c_int
    address, capsule = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    address.argtypes, address.restype = [py_object, c_char_p], c_void_p
    capsule.argtypes, capsule.restype = [c_void_p, c_char_p, c_void_p], py_object
    container, handles = c_void_p(), torch._C._aoti
    if create(byref(container), callers, b"cpu", None):
        raise RuntimeError(f"the network in {file.name} cannot be set up")

    def call(*args: Tensor) -> Tensor:
        """Raises RuntimeError."""
        given = handles.unsafe_alloc_void_ptrs_from_tensors(list(args))
        taken, made = (c_void_p * len(args))(*(address(each, None) for each in given)), (c_void_p * 1)()
        if run(container, taken, len(args), made, 1, None, None):          # it takes over what it is given
            raise RuntimeError(f"the network in {file.name} has failed")
        return handles.alloc_tensor_by_stealing_from_void_ptr(capsule(made[0], None, None))
    return call
