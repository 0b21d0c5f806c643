"""Models that visitors trained: kept in a temporary folder that outlives the page, not the gallery.

The hub makes the folder and hands it on by the environment (GALLERY_TRAINED); the engine writes into it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from engines.runtime.errors import ModelFault

FOLDER = "GALLERY_TRAINED"
OWNED = "GALLERY_TRAINED_OWNED"     # set when the hub made that folder, so that it goes with the hub
MAX_MODELS = 64                 # a class of thirty that trains twice
MAX_BYTES = 256 * 2**20         # a trained VAE with its codes is about 1 MB; a temporary disk can be small


def root() -> Path:
    """The folder of trained models. Raises ModelFault when there is none."""
    folder = os.environ.get(FOLDER, "")
    if not folder:
        raise ModelFault(f"There is no folder for trained models: set {FOLDER} to an empty one, or start the gallery.")
    return Path(folder)


def keep(save: Callable[[Path], None]) -> str:
    """Call `save(folder)` on an empty folder and keep what it writes, under checksums. Returns "trained/<token>".

    The oldest models go when there are more than MAX_MODELS, or more than MAX_BYTES together.
    """
    home = root()
    home.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(8)
    draft = home / f".{token}"
    draft.mkdir()
    try:
        save(draft)
        write_sums(draft)
        draft.rename(home / token)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _prune(home, spare=token)
    return f"trained/{token}"


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every other file under `folder`, in the format of sha256sum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
             for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii", newline="\n")


def _prune(home: Path, spare: str) -> None:
    kept = [path for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")]
    kept.sort(key=lambda path: (path.name != spare, -path.stat().st_mtime))      # newest first
    total = 0
    for place, path in enumerate(kept):
        total += sum(file.stat().st_size for file in path.iterdir())
        if place and (place >= MAX_MODELS or total > MAX_BYTES):
            shutil.rmtree(path, ignore_errors=True)
