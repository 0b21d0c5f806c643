"""The network compiled ahead of time for a processor: the same sums with far less said between them.

Compiling takes most of a minute, so it is done once, by a process of low priority, and kept in a cache folder; the
engine takes the result up between two steps. Until then, and wherever it cannot be had (no C++ compiler, an
accelerator, a fault), the plain network serves.

    python -m engines.diffusion.compiled <model folder> <package to write>

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

log = logging.getLogger(__name__)

SWITCH, CACHE = "GALLERY_COMPILE", "GALLERY_CACHE"
ROWS = (2, 48)              # one is padded to two; beyond 63 the network's own code takes another way
LOOK_S = 1.0                # between looks at the process that compiles
TOLERANCE = 1e-3            # of full scale: what a fast path may differ by
LOWEST = 19                 # niceness


def package(folder: Path) -> Path:
    """Where the compiled network of a model folder is kept; another torch or another processor has another place."""
    state = [torch.__version__, torch.backends.cpu.get_cpu_capability(), sys.platform,
             Path(__file__).read_text("utf-8"), (folder / "SHA256SUMS").read_text("ascii")]
    home = os.environ.get(CACHE, "") or Path.home() / ".cache" / "generative-ai-gallery"
    return Path(home) / f"{hashlib.sha256(chr(0).join(state).encode()).hexdigest()[:32]}.pt2"


def possible() -> bool:
    return os.environ.get(SWITCH, "1") != "0" and any(map(shutil.which, ("g++", "clang++", "c++")))


class Compiled:
    """The compiled network of one model folder, as soon as there is one. Used on the engine's thread only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: Path | None = None       # none before the first use, and none after a fault
        self._function: Callable[..., Tensor] | None = None
        self._process: subprocess.Popen | None = None
        self._begun, self._next_look = False, 0.0

    def get(self, plain: Callable[..., Tensor], *example: Tensor) -> Callable[..., Tensor] | None:
        """The compiled network, or None while `plain` has to serve. Begins compiling on the first call."""
        if self._function is not None or self._begun and self.file is None or time.monotonic() < self._next_look:
            return self._function
        self._next_look = time.monotonic() + LOOK_S
        try:
            if not self._begun:
                self._begun, self.file = True, package(self.folder) if possible() else None
            if self.file is not None and self.file.exists():
                self._function = self._take_up(plain, example)
            elif self.file is not None:
                self._compile()
        except Exception:                   # whatever a compiler or a loader does, the plain network is there
            log.exception("the compiled network of %s cannot be used", self.folder.name)
            self.file = None
        return self._function

    def _compile(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.folder), str(self.file)], stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2],
                env={**os.environ, "OMP_NUM_THREADS": "1"})
        elif self._process.poll() is not None:
            log.warning("%s could not be compiled (status %d): the plain network serves", self.folder.name,
                        self._process.returncode)
            self.file = None

    def _take_up(self, plain: Callable[..., Tensor], example: tuple[Tensor, ...]) -> Callable[..., Tensor] | None:
        """Load the package and hold it to the plain network once."""
        function = _any_rows(torch._inductor.aoti_load_package(str(self.file)))
        wanted, found = plain(*example), function(*example)
        worst = (wanted - found).detach().abs().max().item()
        if not worst <= TOLERANCE * 2:      # pictures span from -1 to 1
            log.error("the compiled network of %s is off by %g: the plain one serves", self.folder.name, worst)
            self.file.unlink(missing_ok=True)
            self.file = None
            return None
        log.info("%s runs compiled from here on", self.folder.name)
        return function


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


def compile_to(folder: Path, file: Path) -> None:
    """Compile the network of a model folder and write the package beside its place, then move it there."""
    from engines.diffusion.model import load
    denoiser = load(folder, quick=False)
    rows = torch.export.Dim("rows", min=ROWS[0], max=ROWS[1])
    example: tuple[Any, ...] = (torch.randn(4, *denoiser.shape), torch.full((4,), 500.0),
                                torch.full((4,), denoiser.no_label))
    file.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), tempfile.TemporaryDirectory(dir=file.parent) as place:
        exported = torch.export.export(denoiser, example, dynamic_shapes=({0: rows},) * 3)
        made = torch._inductor.aoti_compile_and_package(exported, package_path=str(Path(place) / "network.pt2"))
        os.replace(made, file)


def _end_with_parent() -> None:
    """The parent holds the other end of stdin: when it is gone, so is the need."""
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(LOWEST)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    compile_to(Path(sys.argv[1]), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
