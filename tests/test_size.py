"""What comes with the gallery stays small enough to clone, and to lie on a Space without large-file storage."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_BYTES = 10_000_000          # beyond it the Hub wants large-file storage
ASSETS_BYTES = 56 * 2**20        # and the code beside it a few MiB more: the whole tree stays under 60


def test_what_is_bundled_is_small() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in (ROOT / "assets").rglob("*") if path.is_file()}
    assert len(sizes) > 100
    assert {name: size for name, size in sizes.items() if size > FILE_BYTES} == {}
    assert sum(sizes.values()) <= ASSETS_BYTES
