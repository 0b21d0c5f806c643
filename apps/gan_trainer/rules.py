"""The rules of the game as they stand in an address and in a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from engines.gan import LOSSES, Rules, plane
from engines.gan.diagnosis import Diagnosis
from engines.runtime import BadInput
from gallery.fields import Field, choice, flag, integer, number

DEFAULT = plane.Rules()
NAMES = tuple(each.name for each in fields(plane.Rules))
MOST_DIFFERENT = 200             # characters in an address: all rules that a scene changes at once have sixty


def _layers(what: str) -> Any:
    one = integer(f"the width of a layer of {what}", 1, plane.MAX_WIDTH)

    def read(text: str) -> list[int]:
        parts = text.split(",")
        if len(parts) > plane.MAX_LAYERS:
            raise BadInput(f"{what} has {len(parts)} layers in the address; it may be 1 to {plane.MAX_LAYERS}: take fewer.")
        return [one(part) for part in parts]
    return read


def shared_readers() -> dict[str, Callable[[str], Any]]:
    """What reads a rule of either game from an address."""
    return {
        "loss": choice("the loss", *LOSSES), "z_kind": choice("the noise z", "normal", "uniform"),
        "lr_g": number("the generator's learning rate", 0, 10), "lr_d": number("the discriminator's learning rate", 0, 10),
        "beta1": number("beta 1", 0, 0.999), "beta2": number("beta 2", 0, 0.9999),
        "d_steps": integer("the discriminator's steps a round", 1, 10), "clip": number("the clipping", 0.001, 10),
        "gp": number("the gradient penalty", 0, 100), "r1": number("the R1 penalty", 0, 100),
        "noise": number("the instance noise", 0, 1), "smoothing": number("the label smoothing", 0, 0.5),
        "spectral": flag("spectral"), "batch_norm": flag("batch_norm"),
    }


def rule_fields() -> dict[str, Field]:
    """One field for each rule, by its own name."""
    return {name: Field(read, plain(getattr(DEFAULT, name))) for name, read in readers().items()}


def readers() -> dict[str, Callable[[str], Any]]:
    """What reads each rule of the game in the plane from an address, in their order."""
    found = {
        **shared_readers(), "optimiser": choice("the optimiser", *plane.OPTIMISERS),
        "g_layers": _layers("the generator"), "d_layers": _layers("the discriminator"),
        "z_dim": integer("the dimension of z", 1, 32), "batch": integer("the batch", 2, 512),
        "decay": integer("the step by which learning rates have fallen", 0, plane.MAX_ROUNDS),
    }
    return {name: found[name] for name in NAMES}


def difference(readers: Mapping[str, Callable[[str], Any]]) -> Callable[[str], dict[str, Any]]:
    """Reads what is different in a second game, as an address has it: "loss:wgan-gp;gp:0.1". Raises BadInput."""
    def read(text: str) -> dict[str, Any]:
        if len(text) > MOST_DIFFERENT:
            raise BadInput(f"the rule of game B has {len(text)} characters in the address; the limit is {MOST_DIFFERENT}: "
                           "shorten it.")
        found = {}
        for part in text.split(";"):
            name, _, value = part.partition(":")
            if name not in readers:
                raise BadInput(f"game B is to differ in {name[:40]!r}, which is no rule: choose one that the page offers.")
            found[name] = readers[name](value)
        return found
    return read


# --- of either game -----------------------------------------------------------------------------------------------

def plain(value: Any) -> Any:
    """A rule as JSON carries it."""
    return list(value) if isinstance(value, tuple) else value


def told(rules: Rules) -> dict[str, Any]:
    return {each.name: plain(getattr(rules, each.name)) for each in fields(rules)}


def read(asked: Any, base: Rules = DEFAULT) -> Any:
    """Rules from a page's JSON, of the game of `base`, whose rules stand where one is missing. Raises BadInput."""
    if not isinstance(asked, Mapping):
        raise BadInput("the rules arrived damaged: reload the page and try again.")
    default, given = type(base)(), {}
    for name, value in asked.items():
        if name not in {each.name for each in fields(base)}:
            raise BadInput(f"there is no rule named {str(name)[:40]!r}: reload the page and try again.")
        given[name] = _typed(name, value, getattr(default, name))
    return replace(base, **given)


def _typed(name: str, value: Any, wanted: Any) -> Any:
    """wanted: a value of the kind that the rule has."""
    if isinstance(wanted, tuple):
        if not isinstance(value, list) or not all(isinstance(each, int) for each in value):
            raise BadInput(f"{name} is {str(value)[:40]}; it is a list of whole numbers, one for each layer.")
        return tuple(value)
    if isinstance(wanted, bool) and not isinstance(value, bool):
        raise BadInput(f"{name} is {str(value)[:40]}; it may be on or off.")
    if isinstance(wanted, str) and not isinstance(value, str):
        raise BadInput(f"{name} is {str(value)[:40]}; it is a word: choose one that the page offers.")
    return float(value) if isinstance(wanted, float) and isinstance(value, int) and not isinstance(value, bool) else value


def advice(found: Diagnosis | None) -> dict[str, Any]:
    """A diagnosis as a page shows it, {} for none. change: the rules that it advises, as a page sets them."""
    if found is None:
        return {}
    return {"kind": found.kind, "title": found.title, "saw": found.saw, "advice": found.advice,
            "change": {name: plain(value) for name, value in found.change.items()}}
