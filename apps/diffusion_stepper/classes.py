"""A long list of classes in groups, with a symbol for each: emoji come in 96 kinds, too many to read through."""

from __future__ import annotations

import json
from functools import cache

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from apps.diffusion_stepper import catalogue
from engines import data

OTHERS = "Others"


@cache
def _emoji() -> dict[str, tuple[str, str]]:
    """A subgroup of emoji -> its group, and its first emoji."""
    found: dict[str, tuple[str, str]] = {}
    for item in json.loads((data.ROOT / "emoji" / "names.json").read_text("utf-8")):
        found.setdefault(item["subgroup"], (item["group"], item["emoji"]))
    return found


def grouped(model: str) -> list[dict]:
    """[{name, classes: [[number, name, symbol]]}], groups and classes in the order of the model's classes.

    Empty where the classes belong to no groups that are known here. Raises BadInput, ModelFault.
    """
    classes = catalogue.config(model).get("classes") or []
    known = _emoji() if catalogue.config(model).get("dataset") == "emoji" else {}
    if not any(name in known for name in classes):
        return []
    groups: dict[str, list] = {}
    for number, name in enumerate(classes):
        group, symbol = known.get(name, (OTHERS, ""))
        groups.setdefault(group, []).append([number, name, symbol])
    return [{"name": name, "classes": members} for name, members in groups.items()]


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/classes")
    def _classes(model: str = "") -> Response:
        return JSONResponse({"groups": grouped(model)})

    return router
