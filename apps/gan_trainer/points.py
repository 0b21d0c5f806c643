"""A visitor's own points: drawn on the plane, or uploaded as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engines.gan import plane
from engines.runtime import BadInput
from gallery.limits import UPLOAD_BYTES

SHOWN = 40                           # characters of a cell that a sentence repeats


def shape(asked: Mapping[str, Any]) -> plane.Shape:
    """{data, and for "own" its points} as the engine takes it. Raises BadInput."""
    kind = str(asked.get("data", "ring"))[:40]
    return plane.Shape(kind, pairs(asked.get("points"))) if kind == "own" else plane.Shape(kind)


def pairs(given: Any) -> np.ndarray:
    """Pairs of numbers from a page -> float32 (N, 2). Raises BadInput."""
    if not given:
        raise BadInput("There are no points yet: draw some on the plane, or upload a CSV.")
    try:
        if not isinstance(given, list) or len(given) > plane.MAX_POINTS:
            raise ValueError
        found = np.array(given, np.float64)
        if found.shape != (len(given), 2) or not np.isfinite(found).all():
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"The points arrived damaged: they are up to {plane.MAX_POINTS:,} pairs of numbers. "
                       "Draw or upload them again.") from None
    return within_float32(found)


def within_float32(found: np.ndarray) -> np.ndarray:
    if np.abs(found).max(initial=0.0) > 1e30:
        raise BadInput(f"One of the numbers is {np.abs(found).max():g}; the limit is 1e30: give smaller ones.")
    return found.astype(np.float32)


def table(data: bytes) -> tuple[np.ndarray, str]:
    """A CSV of two columns of numbers -> float32 (N, 2), and a sentence about what was read. Raises BadInput.

    A first line that is no pair of numbers is taken for a heading; with more than two columns the first two count. Of
    more than MAX_POINTS an even sample is taken.
    """
    if len(data) > UPLOAD_BYTES:
        raise BadInput(f"The file holds {len(data) / 2**20:.0f} MB; the limit is {UPLOAD_BYTES // 2**20} MB: give a sample of it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("The file is no text in UTF-8: save it as CSV and upload that.") from None
    between = next((mark for mark in ";\t," if mark in text), None)        # a comma may be a decimal one beside the others
    found = []
    for line, row in enumerate((row for row in text.splitlines() if row.strip()), 1):
        cells = [cell for cell in row.split(between) if cell.strip()]
        try:
            pair = [float(cell.replace(",", ".")) for cell in cells[:2]]
        except ValueError:
            pair = []
        if len(pair) == 2 and np.isfinite(pair).all():
            found.append(pair)
        elif line > 1:
            raise BadInput(f"Line {line} of the file is {row[:SHOWN]!r}; it needs two numbers: correct or remove it.")
    return _enough(np.array(found, np.float64).reshape(-1, 2))


def _enough(found: np.ndarray) -> tuple[np.ndarray, str]:
    count = len(found)
    if count < plane.MIN_POINTS:
        raise BadInput(f"The file holds {count} {'point' if count == 1 else 'points'}; it takes {plane.MIN_POINTS} or "
                       "more, two numbers a line: give more.")
    said = f"{count:,} points read."
    if count > plane.MAX_POINTS:
        found = found[np.linspace(0, count - 1, plane.MAX_POINTS).astype(int)]
        said = f"{count:,} points read; every {count / plane.MAX_POINTS:.3g}th is used, {plane.MAX_POINTS:,} in all."
    points = within_float32(found)
    plane.Shape("own", points)                       # the engine's own checks, with their sentences
    return points, said
