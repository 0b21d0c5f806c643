"""Checks that parameters of jobs share. Each raises BadInput: number, limit, remedy. Cheap to import."""

from __future__ import annotations

import math
import numbers

from engines.runtime import BadInput


def whole(name: str, value: int, low: int, high: int) -> None:
    """A whole number from low to high; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise BadInput(f"{name} is {value!r:.40}; it must be a whole number from {low} to {high}: choose one of these.")
    if not low <= value <= high:
        raise BadInput(f"{name} is {shown(value)}; it may be {low} to {high}: choose a number in between.")


def between(name: str, value: float, low: float, high: float) -> None:
    """A finite number from low to high."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise BadInput(f"{name} is {value!r:.40}; it must be a number from {low:g} to {high:g}: choose one in between.")
    if not (low <= value <= high):          # false for nan as well
        raise BadInput(f"{name} is {shown(value)}; it may be {low:g} to {high:g}: choose a number in between.")


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadInput(f"{name} is {value!r:.40}; it may be {', '.join(allowed)}: choose one of these.")


def shown(value: float) -> str:
    """A number as a sentence holds it; a whole one may be too large for a float."""
    try:
        return f"{value:g}"
    except OverflowError:
        return f"a number of {math.floor(math.log10(abs(value))) + 1} digits"
