"""What crosses between hub and engine, and how: length-prefixed pickles over two pipes.

Both ends are this program, so pickle is safe here; no byte of it comes from a visitor.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from engines.runtime.contract import ModelRef

LENGTH = struct.Struct("<Q")
_PIPE_BYTES = 1 << 20       # a large pipe holds a whole picture, so that a write seldom waits for the reader


# --- hub to engine -----------------------------------------------------------------------------------------------

class Order(NamedTuple):
    """One run: the job as the engine needs it, without the types that only the hub needs."""

    run: int
    session: str
    target: str
    params: Any
    models: tuple[ModelRef, ...]
    mode: str
    outbox: str
    outbox_size: int
    deadline_s: float
    memory_mb: int


class Ack(NamedTuple):
    run: int
    count: int


class Cancel(NamedTuple):
    run: int


class Pause(NamedTuple):
    run: int
    on: bool


class Park(NamedTuple):
    run: int
    on: bool


class Update(NamedTuple):
    run: int
    params: Any


class Warm(NamedTuple):
    models: tuple[ModelRef, ...]


class Stop(NamedTuple):
    pass


# --- engine to hub -----------------------------------------------------------------------------------------------

class Hello(NamedTuple):
    """The engine is ready; or, with a fault, it is not and says why. devices: how many of this kind there are."""

    pid: int
    device: str
    device_name: str
    devices: int
    torch: str
    threads: int
    budget_bytes: int
    fault: str = ""


class Frame(NamedTuple):
    run: int
    frame: Any


class Status(NamedTuple):
    """state: "loading", "running", or "queued" (for memory)."""

    run: int
    state: str


class End(NamedTuple):
    """outcome: "done", "failed", "cancelled". error: name of a class in engines.runtime.errors, or empty."""

    run: int
    outcome: str
    error: str = ""
    sentence: str = ""


class Residents(NamedTuple):
    models: tuple[tuple[str, int], ...]


class Beat(NamedTuple):
    """A sign of life each second. run: whose step is under way (0: none); overdue_s: how far past its deadline."""

    run: int
    overdue_s: float


def _array(array: np.ndarray) -> tuple[Any, ...]:
    """Pickle an array in a third of the time that numpy takes for a small one."""
    if array.dtype.hasobject or array.dtype.names:
        return array.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    return _restored, (array.tobytes(), array.dtype.str, array.shape)


def _restored(data: bytes, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.ndarray(shape, kind, bytearray(data))


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()
    dispatch_table[np.ndarray] = _array


class _CarefulPickler(_Pickler):
    """Refuses tensors: unpickling one would import torch into the hub."""

    def reducer_override(self, value: Any) -> Any:
        if type(value).__module__.partition(".")[0] == "torch":
            raise TypeError(f"a {type(value).__name__} cannot leave the engine: yield numpy arrays and plain Python")
        return NotImplemented


def pack(message: Any) -> bytes:
    """Pickle a message. Raises TypeError when it holds a tensor, however deep."""
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(message)
    packed = buffer.getvalue()
    if b"torch" in packed:      # a word in a text, or a tensor: the slower way tells them apart
        _CarefulPickler(io.BytesIO(), pickle.HIGHEST_PROTOCOL).dump(message)
    return packed


def unpack(data: bytes) -> Any:
    return pickle.loads(data)


def widen(stream: BinaryIO) -> None:
    """Ask for a larger pipe where the system can (Linux)."""
    try:
        import fcntl
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return      # a small pipe works too, with more switches


def read(stream: BinaryIO) -> bytes:
    """The next packed message. Raises EOFError when the other end has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    size, = LENGTH.unpack(head)
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body
