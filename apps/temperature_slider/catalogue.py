"""The models that the room offers, and what is said of each."""

from __future__ import annotations

from typing import Any

from apps.temperature_slider import foreign
from engines.runtime import VisitorError
from gallery.bundled import Kind
from gallery.elsewhere import is_foreign

DEFAULT = "gpt2-stories"
FAMILY = "language"
KIND = Kind("language model", lambda config: config.get("family") == FAMILY)
TITLES = {"gpt2-stories": "Stories", "gpt2-shakespeare-char": "Shakespeare, by letters"}
ABOUT = {"gpt2-stories": "A small GPT-2 trained here",
         "gpt2-shakespeare-char": "A tiny GPT-2 trained here"}
LICENCE = "MIT"                      # of the weights that come with the gallery; their texts' are in CREDITS.md and NOTICE


def told(model: str) -> dict[str, Any]:
    """What the page must know of a model. Raises BadInput or ModelFault, with a sentence, where there is none."""
    if is_foreign(model):
        return foreign.config(model)
    config = KIND.config(model)
    return {"name": model, "title": TITLES.get(model, model), "about": ABOUT.get(model, ""),
            "parameters": config.get("parameters", 0), "context": config.get("n_positions", 0), "vocabulary": config.get("vocab_size", 0),
            "licence": LICENCE, "family": FAMILY, "measured": config.get("measured", {}), "foreign": False}


def bundled() -> list[dict[str, Any]]:
    """Every language model that came with the gallery."""
    return sorted(KIND.installed(told), key=lambda each: (each["name"] != DEFAULT, each["name"]))


def offered(model: str) -> list[dict[str, Any]]:
    """The bundled models, and the one that the page shows if it is none of them."""
    found = bundled()
    if any(each["name"] == model for each in found):
        return found
    try:
        return [*found, told(model)]
    except VisitorError:                                      # not one language model is installed
        return found
