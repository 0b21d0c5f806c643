"""GAN trainer: a forger and a detective learn from each other in view, and the game can be broken, mended and rewound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery.demo import Demo, Scene

DEMO = Demo(
    title="GAN trainer",
    milestone="gan",
    sentence="A forger and a detective train each other: watch them learn, break their game, and mend it.",
    framework="gradio",
    scenes=(
        Scene("The ring, learned", "Eight heaps found one after the other.",
              {"data": "ring", "seed": "1", "play": "1"}),
    ),
    tags=("training", "mode collapse", "discriminator", "generator", "Wasserstein", "adversarial"),
    engine="engines/gan/plane/game.py",
    models=(),
    thumbnail="apps.gan_trainer.thumbnail:make",
    module="gan/page.js",
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.gan_trainer import state

    return state.parse(query)
