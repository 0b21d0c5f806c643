"""The models that the room offers, and what is said of each."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from apps.temperature_slider import foreign
from engines.runtime import BadInput, ModelFault, VisitorError, models

DEFAULT = "gpt2-stories"
FAMILY = "language"
TITLES = {"gpt2-stories": "Stories", "gpt2-shakespeare-char": "Shakespeare, by letters"}
LICENCE = "MIT"                      # of the weights that come with the gallery; their texts' are in CREDITS.md and NOTICE


def told(model: str) -> dict[str, Any]:
    """What the page must know of a model. Raises BadInput or ModelFault, with a sentence, where there is none."""
    if foreign.is_foreign(model):
        return foreign.config(model)
    try:
        path = models.folder(model) / "config.json"
    except BadInput:            # the runtime would name models that this room cannot show
        known = ", ".join(each["name"] for each in bundled()) if model != DEFAULT else ""
        raise BadInput(f"There is no language model named {model[:40]!r}: choose one of {known or 'those that are installed'}.") from None
    if not path.is_file():
        raise ModelFault(f"The file config.json of {model} is missing: choose another model.")
    config = _config(path, path.stat().st_mtime_ns)
    if config.get("family") != FAMILY:
        raise ModelFault(f"{model} is no language model: choose another one.")
    return {"name": model, "title": TITLES.get(model, model), "parameters": config.get("parameters", 0),
            "context": config.get("n_positions", 0), "vocabulary": config.get("vocab_size", 0), "licence": LICENCE,
            "family": FAMILY, "measured": config.get("measured", {}), "foreign": False}


@lru_cache(maxsize=64)
def _config(path: Path, changed: int) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as fault:
        raise ModelFault(f"The file {path.name} of {path.parent.name} cannot be read: choose another model.") from fault


def bundled() -> list[dict[str, Any]]:
    """Every language model that came with the gallery; a broken folder is left out."""
    found = []
    for name in models.names():
        try:
            found.append(told(name))
        except VisitorError:                                  # another engine's model, or a damaged one
            continue
    return sorted(found, key=lambda each: (each["name"] != DEFAULT, each["name"]))


def offered(model: str) -> list[dict[str, Any]]:
    """The bundled models, and the one that the page shows if it is none of them."""
    found = bundled()
    if any(each["name"] == model for each in found):
        return found
    try:
        return [*found, told(model)]
    except VisitorError:                                      # not one language model is installed
        return found
