"""The page's query string, read once and strictly.

`parse` returns what the page should start with and a sentence for each thing that it could not
take; the page then goes on with the default of that thing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from apps.latent_space_explorer import catalogue
from engines.runtime import BadInput, VisitorError
from gallery.bundled import chosen
from gallery.fields import FAR, Field, choice, names, number, numbers, read_all

TOOLS = ("explore", "own", "path", "dimensions", "train")
LAYERS = ("points", "manifold", "density")
TOOL_MODULES = ("own_picture", "path", "dimensions", "training")
MOST_PINS = 16                       # as many as a path may join
PACKAGE = "apps.latent_space_explorer"


def tool_modules() -> list[Any]:
    """The Python halves of the tools that are installed."""
    found = (f"{PACKAGE}.{name}" for name in TOOL_MODULES)
    return [import_module(name) for name in found if importlib.util.find_spec(name)]


def _view(text: str) -> list[float]:
    """Middle of the map (x, y) and its width, in latent units."""
    values = numbers("view")(text)
    if len(values) != 3:
        raise BadInput(f"view has {len(values)} numbers; it takes three: middle x, middle y, width.")
    number("the width of the view", 1e-3, 2 * FAR)(str(values[2]))
    return values


def _pins(text: str) -> list[dict[str, Any]]:
    """Pins with "~" between them: t123 a test picture, p0.5,1 a point, o0.5,1 the code of a visitor's own picture."""
    pins: list[dict[str, Any]] = []
    parts = [part for part in text.split("~") if part]
    if len(parts) > MOST_PINS:
        raise BadInput(f"{len(parts)} pins were given; the limit is {MOST_PINS}: remove some.")
    for part in parts:
        kind = {"t": "test", "p": "point", "o": "own"}.get(part[0])
        if kind is None:
            raise BadInput("a pin starts with t (a test picture), p (a point) or o (a picture of one's own).")
        if kind == "test":
            index = number("the number of a test picture", 0, 1e6)(part[1:])
            pins.append({"kind": kind, "index": int(index)})
        else:
            pins.append({"kind": kind, "z": numbers("a pin")(part[1:])})
    return pins


def _layers(text: str) -> list[str]:
    return [] if text == "none" else names("layers", *LAYERS)(text)


def own_fields() -> dict[str, Field]:
    return {
        "z": Field(numbers("z"), None),
        "pins": Field(_pins, []),
        "tool": Field(choice("tool", *TOOLS), "explore"),
        "layers": Field(_layers, ["points", "manifold"]),
        "view": Field(_view, None),
        "only": Field(lambda text: [int(value) for value in numbers("only", 0, 255, 16)(text)], []),
    }


def all_fields() -> dict[str, Field]:
    fields = own_fields()
    for module in tool_modules():
        fields.update(getattr(module, "FIELDS", {}))
    return fields


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state, sentences about what could not be read). Never raises."""
    faults: list[str] = []
    state = {
        "model": chosen(query, catalogue.DEFAULT, catalogue.config, faults),
        "compare": chosen(query, "", catalogue.config, faults, "compare", "no second map"),
        **read_all(all_fields(), query, faults),
    }
    _fit(state, faults)
    return state, faults


def _fit(state: dict[str, Any], faults: list[str]) -> None:
    """Points must have as many numbers as the model has dimensions, test pictures must exist, a second map shows the same."""
    try:
        config = catalogue.config(state["model"])
        n = catalogue.count(state["model"])
    except VisitorError as fault:
        faults.append(str(fault))
        return
    if state["compare"] and catalogue.config(state["compare"])["dataset"] != config["dataset"]:
        faults.append(f"The page shows no second map instead of {state['compare'][:40]!r}: it knows other pictures than "
                      f"{state['model'][:40]}, and only models of the same pictures can be held against each other.")
        state["compare"] = ""
    d = config["latent"]
    if state["z"] is not None and len(state["z"]) != d:
        faults.append(f"z has {len(state['z'])} numbers; {state['model']} has {d} dimensions: the page starts in the middle.")
        state["z"] = None
    kept = []
    for pin in state["pins"]:
        if pin["kind"] == "test" and pin["index"] >= n:
            faults.append(f"There is no test picture {pin['index']}; they are numbered 0 to {n - 1}.")
        elif pin["kind"] != "test" and len(pin["z"]) != d:
            faults.append(f"A pin has {len(pin['z'])} numbers; {state['model']} has {d} dimensions: it is left out.")
        else:
            kept.append(pin)
    state["pins"] = kept
