"""GAN trainer: a forger and a detective learn from each other in view, and the game can be broken, mended and rewound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery.demo import Demo, Scene

# As engines.gan.plane.presets has them, where they were measured.
RESTING = {"g_layers": "64,64,64", "d_layers": "64,64,64", "lr_g": "0.003", "lr_d": "0.003", "beta1": "0",
           "beta2": "0.999", "z_kind": "uniform", "r1": "0.02",
           "batch": "256", "decay": "5000"}
COLLAPSING = {"lr_g": "0.01", "lr_d": "0.002", "beta1": "0.9"}
LOSS_DECIDES = {"lr_g": "0.005", "lr_d": "0.005", "beta1": "0.9", "d_steps": "5", "gp": "3", "decay": "3000"}
REPAIR = "loss:wgan-gp;gp:0.1;d_steps:3;lr_g:0.001;lr_d:0.001;beta1:0.5"

DEMO = Demo(
    title="GAN trainer",
    milestone="gan",
    sentence="A forger and a detective train each other: watch them learn, break their game, and mend it.",
    framework="gradio",
    scenes=(
        Scene("The ring, learned", "Eight heaps, found one after the other.",
              {"data": "ring", "seed": "1", **RESTING, "speed": "max", "play": "1"}),
        Scene("Mode collapse", "G runs from heap to heap, and D after it.",
              {"data": "ring", "seed": "1", **COLLAPSING, "until": "2000", "speed": "200", "play": "1"}),
        Scene("The detective is too good", "D is sure of everything; what is left for G to learn from?",
              {"data": "ring", "seed": "1", "loss": "minimax", "z_kind": "uniform", "lr_g": "0.0001", "lr_d": "0.005",
               "d_steps": "10", "d_layers": "64,64", "until": "1200", "speed": "200", "play": "1"}),
        Scene("They run in circles", "Momentum feeds the swing. Take less of it and they settle.",
              {"data": "line", "seed": "1", "lr_g": "0.005", "lr_d": "0.005", "beta1": "0.95", "until": "3000", "speed": "200", "play": "1"}),
        Scene("WGAN-GP repairs it", "The same seed twice, another loss on the right: which one collapses?",
              {"data": "ring", "seed": "1", **LOSS_DECIDES, "versus": "loss:wgan-gp", "until": "3000", "speed": "200",
               "play": "1"}),
        Scene("In balance: D = 1/2", "Both curves of D end at a half: it can only guess.",
              {"data": "grid", "seed": "2", **RESTING, "speed": "max", "play": "1"}),
        Scene("Digits from noise", "Some three hundred steps, a minute or so: when can you read the first?",
              {"tool": "pictures", "set": "mnist", "stage": "scratch", "play": "1"}),
        Scene("Emoji, stage by stage", "From blots to smileys in one long training: which columns get there?",
              {"tool": "pictures", "set": "emoji", "stage": "20000", "view": "film"}),
        Scene("Change the rule midway", "Half-way WGAN-GP takes over, with shorter steps: what do the curves do?",
              {"data": "ring", "seed": "1", **COLLAPSING, "midway": REPAIR, "until": "3000", "speed": "200", "play": "1"}),
        Scene("One step, slowly", "Every phase of a step, from noise to both lessons.",
              {"data": "ring", "seed": "1", "speed": "slow", "play": "1"}),
    ),
    tags=("training", "mode collapse", "discriminator", "generator", "Wasserstein", "adversarial"),
    engine="engines/gan/plane/game.py",
    models=("gan-mnist", "gan-fashion", "gan-emoji"),
    thumbnail="apps.gan_trainer.thumbnail:make",
    module="gan/page.js",
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.gan_trainer import state

    return state.parse(query)
