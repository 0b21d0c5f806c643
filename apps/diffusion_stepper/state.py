"""The page's query string, read once and strictly.

`parse` returns what the page should start with and a sentence for each thing that it could not
take; the page then goes on with the default of that thing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from apps.diffusion_stepper import catalogue
from apps.diffusion_stepper.labels import label
from engines import diffusion
from engines.runtime import VisitorError
from gallery.bundled import chosen
from gallery.fields import Field, choice, flag, integer, number, read_all

TOOLS = ("reverse", "branch", "forward", "fewer", "plane")
TOOL_MODULES = ("branch", "forward", "plane")
SEEDS = 2**31 - 1
DEFAULT_LABEL = 7
PACKAGE = "apps.diffusion_stepper"


def tool_modules() -> list[Any]:
    """The Python halves of the tools that are here: FIELDS, routes(), server_functions(), apis(), each optional."""
    found = (f"{PACKAGE}.{name}" for name in TOOL_MODULES)
    return [import_module(name) for name in found if importlib.util.find_spec(name)]


def own_fields() -> dict[str, Field]:
    return {
        "label": Field(label("the class"), DEFAULT_LABEL),
        "guidance": Field(number("guidance", -10, 30), 1.5),
        "sampler": Field(choice("the sampler", *diffusion.SAMPLERS), "ddim"),
        "eta": Field(number("eta", 0, 1), 0),
        "steps": Field(integer("the number of steps", 1, diffusion.MAX_STEPS), 50),
        "schedule": Field(choice("the schedule", *diffusion.SCHEDULES, diffusion.TRAINED), "linear"),
        "count": Field(integer("the number of pictures", 1, diffusion.MAX_PICTURES), 1),
        "seed": Field(integer("the seed", 0, SEEDS), 12),
        "tool": Field(choice("the tool", *TOOLS), "reverse"),
        "at": Field(integer("the step on screen", 0, diffusion.MAX_STEPS), None),
        "play": Field(flag("play"), False),
        "both": Field(flag("both"), False),
    }


def all_fields() -> dict[str, Field]:
    fields = own_fields()
    for module in tool_modules():
        fields.update(getattr(module, "FIELDS", {}))
    return fields


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state, sentences about what could not be read). Never raises."""
    faults: list[str] = []
    state = {"model": chosen(query, catalogue.DEFAULT, catalogue.config, faults), **read_all(all_fields(), query, faults)}
    _fit(state, query, faults)
    return state, faults


def _fit(state: dict[str, Any], query: Mapping[str, str], faults: list[str]) -> None:
    """The class must be one that the model knows, the schedule one that it has, the step one that the run has."""
    try:
        known = catalogue.told(state["model"])
    except VisitorError as fault:
        faults.append(str(fault))
        return
    classes = known["classes"] or []
    if state["schedule"] == diffusion.TRAINED or known["schedule"] == diffusion.TRAINED and not query.get("schedule"):
        state["schedule"] = known["schedule"]
    if not classes:
        state["label"] = diffusion.NO_LABEL
    elif not known["free"] and state["label"] not in range(len(classes)):
        state["label"] = 0
    elif isinstance(state["label"], int) and state["label"] >= len(classes):
        if state["label"] != DEFAULT_LABEL:
            faults.append(f"The class is {state['label']}; {state['model']} knows {len(classes)}, numbered from 0: "
                          "the page asks for none.")
        state["label"] = diffusion.NO_LABEL
    if state["at"] is not None and state["at"] > state["steps"]:
        faults.append(f"The address names step {state['at']} of a run of {state['steps']}: the page shows the last.")
        state["at"] = state["steps"]
