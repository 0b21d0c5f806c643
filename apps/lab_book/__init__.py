"""The lab book: how good each bundled model was measured to be, and what runs in the gallery at this moment."""

from __future__ import annotations

from collections.abc import Mapping

from gallery.demo import Demo, Scene

VIEWS = ("quality", "map", "pictures", "samples", "card", "runs")
OFFERED = {"vae": ("quality", "map", "pictures", "card", "runs"), "diffusion": ("quality", "pictures", "card", "runs"),
           "gan": ("quality", "pictures", "card", "runs"), "classifier": ("quality", "pictures", "card", "runs"),
           "language": ("quality", "samples", "card", "runs")}         # by family
FIRST = "vae-mnist-2d"

DEMO = Demo(
    title="Lab book",
    milestone="",
    sentence="How good each bundled model was measured to be, and what runs here at this moment.",
    framework="streamlit",
    scenes=(
        Scene("Two dimensions or sixteen", "The same digits: which part of the bar pays for the smaller map?",
              {"model": "vae-mnist-2d", "view": "quality"}),
        Scene("Which dimensions are used", "Sixteen were offered; look how many carry nothing.",
              {"model": "vae-mnist-16d", "view": "quality"}),
        Scene("A map without a plan", "The plain autoencoder's codes: clusters with empty land in between.",
              {"model": "ae-mnist-2d", "view": "map"}),
        Scene("What is lost on the way", "Clothes in the first row, what came back in the second.",
              {"model": "vae-fashion-2d", "view": "pictures"}),
        Scene("A card that hides nothing", "Data, licence, recipe, seed, time, and where the model fails.",
              {"model": "vae-emoji", "view": "card"}),
        Scene("Learned, or remembered?", "How well it foresees new stories, and the longest run it took from old ones.",
              {"model": "gpt2-stories", "view": "quality"}),
        Scene("Who asked what", "Every run of every visitor, with what it took.", {"view": "runs"}),
    ),
    tags=("measured quality", "model cards", "memory", "device", "runs", "ELBO"),
    engine="engines/runtime/scheduler.py",
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Query -> ({"model", "view"}, a sentence for each thing that could not be taken)."""
    from apps.lab_book.shelf import shelf

    known, sentences = {book.name: book for book in shelf()}, []
    model = query.get("model", FIRST)
    if model not in known:
        if "model" in query:
            few = ", ".join(known) or "none is installed"
            sentences.append(f"There is no model named {model[:40]!r} here; choose one of {few}.")
        model = FIRST if FIRST in known else next(iter(known), "")
    view = query.get("view", VIEWS[0])
    if view not in VIEWS:
        sentences.append(f"There is no view named {view[:40]!r}; choose one of {', '.join(VIEWS)}.")
        view = VIEWS[0]
    if model and view not in OFFERED[known[model].family]:
        sentences.append(f"{model} has no view named {view!r}; choose one of {', '.join(OFFERED[known[model].family])}.")
        view = VIEWS[0]
    return {"model": model, "view": view}, sentences
