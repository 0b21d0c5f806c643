"""The rules of the game of pictures as they stand in an address and in a request.

In an address every rule begins with "p_", since the game in the plane has rules of the same names; one that is not there is
as recommended for the set of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from engines.gan import LOSSES, pictures
from engines.gan.pictures.rules import Rules
from engines.runtime import BadInput, VisitorError
from gallery.fields import Field, choice, flag, integer, number

PREFIX = "p_"
NAMES = tuple(each.name for each in fields(Rules))


def rule_fields() -> dict[str, Field]:
    readers = {
        "loss": choice("the loss", *LOSSES), "z_kind": choice("the noise z", "normal", "uniform"),
        "lr_g": number("the generator's learning rate", 0, 10), "lr_d": number("the discriminator's learning rate", 0, 10),
        "beta1": number("beta 1", 0, 0.999), "beta2": number("beta 2", 0, 0.9999),
        "d_steps": integer("the discriminator's steps a round", 1, 10), "batch": integer("the batch", 8, 128),
        "z_dim": integer("the dimension of z", 2, 128), "noise": number("the instance noise", 0, 1),
        "smoothing": number("the label smoothing", 0, 0.5), "r1": number("the R1 penalty", 0, 100),
        "gp": number("the gradient penalty", 0, 100), "clip": number("the clipping", 0.001, 10),
        "spectral": flag("spectral"), "batch_norm": flag("batch_norm"), "batch_norm_d": flag("batch_norm_d"),
        "augment": flag("augment"),
    }
    return {PREFIX + name: Field(readers[name], None) for name in NAMES}


def told(rules: Rules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in NAMES}


def recommended(dataset: str) -> Rules:
    """Those that the bundled model of this set was trained by, or would be."""
    try:
        return Rules(**pictures.about(pictures.MODELS[dataset])["rules"])
    except (VisitorError, KeyError, TypeError):        # not installed, or damaged: whoever asks for it will be told
        return pictures.recommended(dataset)


def read(asked: Any, base: Rules) -> Rules:
    """Rules from a page's JSON; what is missing is as in `base`. Raises BadInput."""
    if not isinstance(asked, Mapping):
        raise BadInput("the rules arrived damaged: reload the page and try again.")
    given = told(base)
    for name, value in asked.items():
        if name not in given:
            raise BadInput(f"there is no rule named {str(name)[:40]!r}: reload the page and try again.")
        given[name] = _typed(name, value)
    return Rules(**given)


def _typed(name: str, value: Any) -> Any:
    wanted = getattr(Rules(), name)
    if isinstance(wanted, bool) and not isinstance(value, bool):
        raise BadInput(f"{name} is {str(value)[:40]}; it may be on or off.")
    if isinstance(wanted, str) and not isinstance(value, str):
        raise BadInput(f"{name} is {str(value)[:40]}; it is a word: choose one that the page offers.")
    return float(value) if isinstance(wanted, float) and isinstance(value, int) and not isinstance(value, bool) else value
