"""The network compiled ahead of time for a processor: the same sums with far less said between them.

Compiling takes a few minutes, so it is done once, by a process of low priority, and kept in a cache folder; the
engine takes the results up between two steps. Until then, and wherever they cannot be had (no C++ compiler, an
accelerator, a fault), the plain network serves. There are three packages: for two rows (one visitor with guidance),
for one (without), and for any number, which is half as quick again for so few.

    python -m engines.diffusion.compiled <model folder>

GALLERY_COMPILE=0 switches it off; GALLERY_CACHE names another cache folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.diffusion import merged, unlocked
from engines.runtime import device

log = logging.getLogger(__name__)

SWITCH, CACHE = "GALLERY_COMPILE", "GALLERY_CACHE"
SHAPES = ("2", "1", "any")   # numbers of rows that have a package of their own, in the order they are compiled
ROWS = (2, 48)              # of "any": one is padded to two; beyond 63 the network's own code takes another way
STALE_S = 3600.0            # a compiler's scratch folder that is older was left by one that was killed
LOOK_S = 1.0                # between looks at the process that compiles
TOLERANCE = 1e-3            # of full scale: what a fast path may differ by
LOWEST = 19                 # niceness
FIXED = {"freezing": True,  # weights packed for one size of input, and small products written into the code
         "max_autotune": True, "max_autotune_gemm_backends": "CPP,ATEN"}


def package(folder: Path, shape: str = "any") -> Path:
    """Where a compiled network of a model folder is kept; another torch or another processor has another place."""
    state = [torch.__version__, torch.backends.cpu.get_cpu_capability(), sys.platform,
             *(Path(each).read_text("utf-8") for each in (__file__, merged.__file__)),
             (folder / "SHA256SUMS").read_text("ascii"), shape]
    return cache() / f"{hashlib.sha256(chr(0).join(state).encode()).hexdigest()[:32]}.pt2"


def cache() -> Path:
    return Path(os.environ.get(CACHE, "") or Path.home() / ".cache" / "generative-ai-gallery")


def possible() -> bool:
    return os.environ.get(SWITCH, "1") != "0" and any(map(shutil.which, ("g++", "clang++", "c++")))


class Compiled:
    """The compiled networks of one model folder, as soon as there are any. Used on the engine's thread only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: dict[str, Callable[..., Tensor]] = {}       # by shape
        self.given_up: set[str] = set()                         # shapes that cannot be had, and will not be tried again
        self._process: subprocess.Popen | None = None
        self._next_look = 0.0

    def get(self, plain: Callable[..., Tensor], *example: Tensor) -> Callable[..., Tensor] | None:
        """The compiled network, or None while `plain` has to serve. Begins compiling on the first call."""
        shape = str(len(example[0])) if str(len(example[0])) in SHAPES else "any"
        if shape not in self.taken and shape not in self.given_up and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_S
            try:
                self._look(shape, plain, example)
            except Exception:               # whatever a compiler or a loader does, the plain network is there
                log.exception("a compiled network of %s cannot be used", self.folder.name)
                self.given_up.add(shape)
        return self.taken.get(shape) or self.taken.get("any")

    def _look(self, shape: str, plain: Callable[..., Tensor], example: tuple[Tensor, ...]) -> None:
        if not possible():
            self.given_up.add(shape)
            return
        ended = self._process is not None and self._process.poll() is not None
        file = package(self.folder, shape)
        if file.exists():
            self._take_up(shape, file, plain, example)
        elif self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2],
                env={**os.environ, "OMP_NUM_THREADS": "1"})
        elif ended:
            log.warning("%s could not be compiled (status %d): the plain network serves", self.folder.name,
                        self._process.returncode)
            self.given_up.add(shape)

    def _take_up(self, shape: str, file: Path, plain: Callable[..., Tensor], example: tuple[Tensor, ...]) -> None:
        """Load a package and hold it to the plain network once."""
        function = _load(file)
        if shape == "any":
            function = _any_rows(function)
        wanted, found = plain(*example), function(*example)
        worst = (wanted - found).detach().abs().max().item()
        if worst <= TOLERANCE * 2:          # pictures span from -1 to 1
            log.info("%s runs compiled for %s rows from here on", self.folder.name, shape)
            self.taken[shape] = _safely(function, plain)
            return
        log.error("the compiled network of %s is off by %g: the plain one serves", self.folder.name, worst)
        file.unlink(missing_ok=True)
        self.given_up.add(shape)


def _load(file: Path) -> Callable[..., Tensor]:
    try:
        return unlocked.load(file, device.hands())
    except Exception as fault:          # a torch or a system that has it otherwise
        log.info("%s is called by torch's own loader: %s", file.name, fault)
        return torch._inductor.aoti_load_package(str(file))


def _safely(function: Callable[..., Tensor], plain: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The plain network where the compiled one fails, which says why as everything does."""
    def call(*args: Tensor) -> Tensor:
        try:
            return function(*args)
        except RuntimeError:
            log.exception("a compiled network has failed: the plain one serves")
            return plain(*args)
    return call


def _any_rows(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Calls with any number of rows, in parts that the package takes."""
    least, most = ROWS

    def call(*args: Tensor) -> Tensor:
        count = len(args[0])
        if count > most:
            parts = zip(*(arg.split(most) for arg in args), strict=True)
            return torch.cat([call(*part) for part in parts])
        if count < least:
            return function(*(torch.cat([arg, arg[-1:].expand(least - count, *arg.shape[1:])]) for arg in args))[:count]
        return function(*args)
    return call


def compile_to(folder: Path, shape: str = "any") -> None:
    """Compile the network of a model folder for a shape; the package is written beside its place, then moved there."""
    from engines.diffusion.model import load
    denoiser, file = load(folder, quick=False), package(folder, shape)
    count = 4 if shape == "any" else int(shape)
    example: tuple[Any, ...] = (torch.randn(count, *denoiser.shape), torch.full((count,), 500.0),
                                torch.full((count,), denoiser.no_label))
    free = {0: torch.export.Dim("rows", min=ROWS[0], max=ROWS[1])} if shape == "any" else None
    file.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), tempfile.TemporaryDirectory(dir=file.parent) as place:
        network = merged.Merged(denoiser.unet, norms=True).eval()
        exported = torch.export.export(network, example, dynamic_shapes=(free,) * 3)
        with torch._inductor.config.patch({} if shape == "any" else FIXED):
            made = torch._inductor.aoti_compile_and_package(exported, package_path=str(Path(place) / "network.pt2"))
        os.replace(made, file)


def sweep() -> None:
    """Remove scratch folders of compilers that were killed."""
    for place in cache().glob("tmp*"):
        if place.is_dir() and time.time() - place.stat().st_mtime > STALE_S:
            shutil.rmtree(place, ignore_errors=True)


def _end_with_parent() -> None:
    """The parent holds the other end of stdin: when it is gone, so is the need."""
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(LOWEST)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    sweep()
    folder = Path(sys.argv[1])
    for shape in SHAPES:
        if not package(folder, shape).exists():
            compile_to(folder, shape)
    os._exit(0)                         # the thread that reads stdin would keep Python from ending in peace


if __name__ == "__main__":
    main()
