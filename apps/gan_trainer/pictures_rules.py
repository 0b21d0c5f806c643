"""The rules of the game of pictures as they stand in an address; a request is read by `rules`.

In an address every rule begins with "p_", since the game in the plane has rules of the same names; one that is not there is
as recommended for the set of pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from apps.gan_trainer.rules import shared_readers
from engines.gan import pictures
from engines.gan.pictures.rules import Rules
from engines.runtime import VisitorError
from gallery.fields import Field, flag, integer

PREFIX = "p_"
NAMES = tuple(each.name for each in fields(Rules))


def readers() -> dict[str, Callable[[str], Any]]:
    """What reads each rule from an address, without the prefix."""
    found = {
        **shared_readers(), "z_dim": integer("the dimension of z", 2, 128), "batch": integer("the batch", 8, 128),
        "batch_norm_d": flag("batch_norm_d"), "augment": flag("augment"),
    }
    return {name: found[name] for name in NAMES}


def rule_fields() -> dict[str, Field]:
    return {PREFIX + name: Field(read, None) for name, read in readers().items()}


def recommended(dataset: str) -> Rules:
    """Those that the bundled model of this set was trained by, or would be."""
    try:
        return Rules(**pictures.about(pictures.MODELS[dataset])["rules"])
    except (VisitorError, KeyError, TypeError):        # not installed, or damaged: whoever asks for it will be told
        return pictures.recommended(dataset)
