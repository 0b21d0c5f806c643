"""What a visitor can set, one field at a time, as it stands in the page's query string.

A reader takes the text of a field and returns a value that JSON can carry, or raises BadInput with
one sentence. It never guesses: what it does not accept is said, and the page goes on with the default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engines.runtime import BadInput

MAX_TEXT = 4000                      # characters of one field: a drawing of 28 x 28 in base64 is 1,048
FAR = 1000.0                         # the engine's own limit of a coordinate


@dataclass(frozen=True)
class Field:
    """read: text -> value, raises BadInput. default: the value without the field."""

    read: Callable[[str], Any]
    default: Any


def read_all(fields: Mapping[str, Field], query: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """The value of every field in a query; what cannot be read is said in `faults`, and its default stands."""
    found = {}
    for key, field in fields.items():
        found[key] = field.default
        if query.get(key, "") != "":
            try:
                found[key] = field.read(query[key])
            except BadInput as fault:
                faults.append(str(fault))
    return found


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def choice(what: str, *allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise BadInput(f"{what} is {_shown(text)}; it may be {', '.join(allowed)}.")
        return text
    return read


def number(what: str, low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise BadInput(f"{what} is {_shown(text)}, which is no number: give one from {low:g} to {high:g}.") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise BadInput(f"{what} is {value:g}; it may be {low:g} to {high:g}.")
        return value
    return read


def integer(what: str, low: int, high: int) -> Callable[[str], int]:
    inner = number(what, low, high)

    def read(text: str) -> int:
        value = inner(text)
        if value != int(value):
            raise BadInput(f"{what} is {value:g}; give a whole number from {low} to {high}.")
        return int(value)
    return read


def text(what: str, longest: int = MAX_TEXT) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) > longest:
            raise BadInput(f"{what} has {len(value)} characters; the limit is {longest}: shorten it.")
        return value
    return read


def flag(what: str) -> Callable[[str], bool]:
    inner = choice(what, "0", "1")
    return lambda value: inner(value) == "1"


def numbers(what: str, low: float = -FAR, high: float = FAR, most: int = 512) -> Callable[[str], list[float]]:
    """Numbers with commas between them."""
    one = number(what, low, high)

    def read(value: str) -> list[float]:
        parts = value.split(",")
        if len(parts) > most:
            raise BadInput(f"{what} has {len(parts)} numbers; the limit is {most}.")
        return [one(part) for part in parts]
    return read


def names(what: str, *allowed: str) -> Callable[[str], list[str]]:
    """Any of the allowed names, with commas between them."""
    one = choice(what, *allowed)
    return lambda value: [one(part) for part in value.split(",")]
