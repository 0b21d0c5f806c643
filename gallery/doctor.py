"""Is this machine ready for the gallery? What is found, and what to do where something is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from engines.runtime import VisitorError
from engines.runtime import models as model_files

ROOT = Path(__file__).resolve().parents[1]
MEMORY_MB = 2500             # hub 0.3 GB, engine with torch and the largest bundled model 0.6 GB, a browser, some air
DISK_MB = 500                # trained models, thumbnails, pip's leftovers
HUB_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """mark: "ok", "--" (works, but worth knowing) or "NO" (keeps the gallery from working)."""

    mark: Literal["ok", "--", "NO"]
    what: str
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything, in the order in which one would mend it. Imports torch, so it takes a second or two."""
    found: list[Finding] = []
    for look in (_python, _packages, _torch, _memory, _disk, _models, _demos, _chromium, _hub):
        try:
            found += look()
        except Exception as error:      # the doctor looks at what is broken; that must not break the doctor
            found.append(Finding("NO", look.__name__.strip("_"), f"could not be looked at: {type(error).__name__}: {error}"))
    return found


def _python() -> Iterator[Finding]:
    version = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < (3, 11):
        yield Finding("NO", "Python", version, "the gallery needs 3.11 or newer: remove .venv and name one, make run PYTHON=...")
    else:
        yield Finding("ok", "Python", version)


def pins() -> dict[str, str]:
    """Package to exact version, from requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(match.groups() for line in lines if (match := re.match(r"([\w.-]+)==([\w.]+)", line)))


def _packages() -> Iterator[Finding]:
    wrong = []
    for name, wanted in pins().items():
        try:
            there = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            there = "missing"
        if there != wanted:
            wrong.append(f"{name} is {there}, wanted {wanted}")
    if wrong:
        yield Finding("NO" if any("missing" in each for each in wrong) else "--", "packages", "; ".join(wrong),
                      "python -m pip install -r requirements.txt")
    else:
        yield Finding("ok", "packages", f"all {len(pins())} as pinned in requirements.txt")


def _torch() -> Iterator[Finding]:
    import torch

    from engines.runtime import device
    yield Finding("ok", "torch", f"{torch.__version__}, {torch.get_num_threads()} threads")
    wanted = os.environ.get("GALLERY_DEVICE", "")
    place = device.choose()
    yield Finding("ok", "device", f"{place} ({device.name(place)})" + (f", by GALLERY_DEVICE={wanted}" if wanted else ""),
                  "" if place.type != "cpu" or wanted else
                  "everything here works without an accelerator; with one, install the torch build made for it")


def _memory() -> Iterator[Finding]:
    import psutil
    memory = psutil.virtual_memory()
    free = memory.available // 2**20
    text = f"{free:,} MB free of {memory.total // 2**20:,} MB"
    yield (Finding("ok", "memory", text) if free >= MEMORY_MB else
           Finding("--", "memory", text, f"the gallery likes {MEMORY_MB:,} MB: close something, or keep to one demo with --only"))


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(ROOT).free // 2**20
    text = f"{free:,} MB free where the gallery lies"
    yield (Finding("ok", "disk", text) if free >= DISK_MB else
           Finding("--", "disk", text, f"{DISK_MB} MB should be free for models that visitors train"))


def _models() -> Iterator[Finding]:
    names = model_files.names()
    if not names:
        yield Finding("NO", "models", "none is installed", "fetch assets/models again: git checkout -- assets/models")
        return
    size, broken = 0, []
    for name in names:
        place = model_files.folder(name)
        size += sum(path.stat().st_size for path in place.iterdir())
        try:
            model_files.check(place)
        except VisitorError as error:
            broken.append(str(error))
    for sentence in broken:
        yield Finding("NO", "models", sentence, "fetch the folder again: git checkout -- assets/models")
    if not broken:
        yield Finding("ok", "models", f"{len(names)} bundled, {size / 2**20:.1f} MB, every checksum right")


def _demos() -> Iterator[Finding]:
    from gallery import catalog
    entries = catalog.entries()
    for entry in entries:
        if not entry.works:
            yield Finding("NO", "demos", f"{entry.slug} is closed: {'; '.join(entry.faults)}", f"python -m gallery check {entry.slug}")
    working = sum(entry.works for entry in entries)
    yield Finding("ok" if working else "NO", "demos", f"{working} of {len(entries)} open")


def _chromium() -> Iterator[Finding]:
    try:
        from tests.browser.chromium import executable
        yield Finding("ok", "Chromium", f"{executable()}, for the browser tests")
    except (FileNotFoundError, ImportError):
        yield Finding("--", "Chromium", "none found", "only the browser tests want one; make test fetches it")


def reachable(host: str, seconds: float = HUB_SECONDS,
              connect: Callable[..., socket.socket] = socket.create_connection) -> bool:
    """Whether a host answers on its HTTPS port. Nothing is sent, and nobody but the doctor asks."""
    try:
        with connect((host, 443), timeout=seconds):
            return True
    except OSError:
        return False


def _hub() -> Iterator[Finding]:
    from huggingface_hub.constants import ENDPOINT
    host = urlsplit(ENDPOINT).hostname or ""
    if reachable(host):
        yield Finding("ok", "model Hub", f"{host} answers; the gallery does not need it")
    else:
        yield Finding("ok", "model Hub", f"{host} does not answer: the gallery works without it, with the bundled models")
