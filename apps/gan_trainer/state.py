"""The page's query string, read once and strictly.

`parse` returns what the page should start with and a sentence for each thing that it could not take; the page then goes
on with the default of that thing.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from apps.gan_trainer import rules
from engines.gan import plane
from engines.runtime import BadInput
from gallery.fields import Field, choice, flag, integer, names, read_all

TOOLS = ("plane", "pictures")
TOOL_MODULES = ("pictures",)
PACKAGE = "apps.gan_trainer"
LAYERS = ("real", "fake", "surface", "mesh", "arrows")
DRAWN_CHARACTERS = 2000          # 1.5 kB of strokes in base64, as of any drawing in an address
SPEEDS = ("slow", "10", "60", "200", "600", "max")


def matching(pattern: str, what: str, longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text):
            raise BadInput(f"The address holds {what} that cannot be read: the page goes on without it.")
        return text
    return read


def tool_modules() -> list[Any]:
    """The Python halves of the tools that are here: FIELDS, routes(), apis(), each optional."""
    found = (f"{PACKAGE}.{name}" for name in TOOL_MODULES)
    return [import_module(name) for name in found if importlib.util.find_spec(name)]


def all_fields() -> dict[str, Field]:
    fields = {
        "tool": Field(choice("the tool", *TOOLS), "plane"),
        "data": Field(choice("the data", *plane.SHAPES), "ring"),
        "drawn": Field(matching(r"[A-Za-z0-9_-]+", "a drawing", DRAWN_CHARACTERS), ""),
        **rules.rule_fields(),
        "seed": Field(integer("the seed", 0, 2**31 - 1), 0),
        "until": Field(integer("the last step", 1, plane.MAX_ROUNDS), 5000),
        "speed": Field(choice("the speed", *SPEEDS), "600"),
        "show": Field(names("a layer", *LAYERS), list(LAYERS)),
        "versus": Field(rules.difference(rules.readers()), None),
        "midway": Field(rules.difference(rules.readers()), None),
        "film": Field(matching(r"[A-Za-z0-9_-]{1,40}", "the name of a game", 40), ""),
        "filmb": Field(matching(r"[A-Za-z0-9_-]{1,40}", "the name of game B", 40), ""),
        "at": Field(integer("the step on screen", 0, plane.MAX_ROUNDS), None),
        "play": Field(flag("play"), False),
    }
    for module in tool_modules():
        fields.update(getattr(module, "FIELDS", {}))
    return fields


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state, sentences about what could not be read). Never raises."""
    faults: list[str] = []
    return read_all(all_fields(), query, faults), faults
