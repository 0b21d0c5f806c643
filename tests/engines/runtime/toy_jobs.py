"""Jobs for the tests of the runtime: small, fast, and each bad in one way. Cheap to import, as an engine's are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.runtime import BadInput, Job, ModelRef

HERE = "tests.engines.runtime.toy_engine"


@dataclass(frozen=True)
class Count:
    """Yield 0 .. n-1, each after `seconds` of work; `trap`: what goes wrong instead of step `at`."""

    n: int
    seconds: float = 0.0
    trap: str = ""
    at: int = -1
    start: int = 0

    def __post_init__(self) -> None:
        if self.n < 0:
            raise BadInput(f"n is {self.n}; it may be 0 or more: choose a larger number.")


@dataclass(frozen=True)
class Number:
    n: int
    note: str = ""


@dataclass(frozen=True)
class Picture:
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class Paint:
    pixels: np.ndarray


@dataclass(frozen=True)
class Ask:
    """`rounds` forward passes of `rows` rows through a model, all values `value`."""

    model: str
    value: float = 1.0
    rows: int = 1
    rounds: int = 1
    trap: str = ""


def needs(params: Ask) -> tuple[ModelRef, ...]:
    return (ModelRef(params.model, f"{HERE}:load"),)


count = Job(f"{HERE}:counting", params=Count, frame=Number)
newest = Job(f"{HERE}:counting", params=Count, frame=Number, outbox="latest")
short = Job(f"{HERE}:counting", params=Count, frame=Number, deadline_s=1.0)
stuck = Job(f"{HERE}:sticking", params=Count, frame=Number, deadline_s=0.2)
dawdle = Job(f"{HERE}:dawdling", params=Count, frame=Number)
follow = Job(f"{HERE}:following", params=Count, frame=Number)
pictures = Job(f"{HERE}:painting", params=Count, frame=Picture)
paint = Job(f"{HERE}:inverting", params=Paint, frame=Picture)
hoard = Job(f"{HERE}:hoarding", params=Count, frame=Number)
smuggle = Job(f"{HERE}:smuggling", params=Count, frame=Number)
smuggle_newest = Job(f"{HERE}:smuggling", params=Count, frame=Number, outbox="latest")
tensors = Job(f"{HERE}:leaking", params=Count, frame=Number)
modes = Job(f"{HERE}:grad_modes", params=Count, frame=Number)
modes_training = Job(f"{HERE}:grad_modes", params=Count, frame=Number, mode="training")
ask = Job(f"{HERE}:asking", params=Ask, frame=Picture, models=needs)
ask_training = Job(f"{HERE}:asking", params=Ask, frame=Picture, models=needs, mode="training")
hold = Job(f"{HERE}:holding", params=Ask, frame=Number, models=needs)
grind = Job(f"{HERE}:grinding", params=Count, frame=Picture)
