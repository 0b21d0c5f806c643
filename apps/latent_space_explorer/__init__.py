"""Latent-space explorer: the first room of the gallery, a variational autoencoder that one can walk through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery.demo import Demo, Scene

DEMO = Demo(
    title="Latent-space explorer",
    milestone="vae",
    sentence="An encoder draws a map of the data; a decoder can be asked what lies at any point of it.",
    framework="gradio",
    scenes=(
        Scene("Between a 4 and a 9", "Is there a last 4 on the way?",
              {"model": "vae-mnist-2d", "tool": "path", "pins": "t1078~t1532", "steps": "32", "play": "1"}),
        Scene("The holes of an autoencoder", "Which of the two maps has more of them?",
              {"model": "ae-mnist-2d", "z": "23.43,-16.89", "compare": "vae-mnist-2d", "layers": "points,manifold"}),
        Scene("Sample again", "One digit, sixteen draws of ε.",
              {"model": "vae-mnist-2d", "tool": "own", "own": "t.1", "again": "1", "seed": "7"}),
        Scene("Morph a face", "Every face between two faces.",
              {"model": "vae-emoji", "tool": "path", "pins": "t8~t100", "steps": "32", "play": "1"}),
        Scene("A dimension that collapsed", "Some sliders change nothing. Why?",
              {"model": "vae-fashion-16d", "tool": "dimensions", "dims": "collapsed"}),
        Scene("β = 4", "What a shorter leash forgets.",
              {"model": "vae-mnist-2d-beta4", "layers": "points,manifold,density"}),
    ),
    tags=("pictures", "latent space", "autoencoder", "interpolation", "ELBO", "training"),
    engine="engines/vae/model.py",
    models=("vae-mnist-2d", "vae-mnist-2d-beta025", "vae-mnist-2d-beta4", "ae-mnist-2d", "vae-mnist-16d",
            "vae-fashion-2d", "vae-fashion-16d", "vae-emoji"),
    thumbnail="apps.latent_space_explorer.thumbnail:make",
    module="latent/page.js",
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.latent_space_explorer import state

    return state.parse(query)
