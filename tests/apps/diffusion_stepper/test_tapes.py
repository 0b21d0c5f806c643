"""What is kept of a run: enough to go on, within its limits."""

from __future__ import annotations

import numpy as np
import pytest

from apps.diffusion_stepper import tapes as module
from apps.diffusion_stepper.tapes import Tapes
from engines import diffusion
from engines.runtime import BadInput

PARAMS = diffusion.Sample("ddpm-mnist", steps=40)


def state(value: float) -> np.ndarray:
    return np.full((1, 1, 8, 8), value, np.float32)       # 256 bytes


def test_a_step_and_the_one_before_it_come_back_as_they_were() -> None:
    tapes = Tapes()
    name, tape = tapes.new(PARAMS)
    for index in range(10):
        tapes.put(name, tape, index, state(index))
    begin = tapes.get(name).begin(7)
    assert begin.index == 7 and (begin.x == 7).all() and (begin.before == 6).all()


def test_what_is_put_may_be_overwritten_by_its_owner() -> None:
    tapes = Tapes()
    name, tape = tapes.new(PARAMS)
    shared = state(1)
    tapes.put(name, tape, 0, shared)
    shared[:] = 9
    assert (tape.begin(0).x == 1).all()


def test_the_tape_not_used_for_longest_goes_first() -> None:
    tapes = Tapes(limit=3 * 256)
    names = []
    for value in range(3):
        name, tape = tapes.new(PARAMS)
        tapes.put(name, tape, 0, state(value))
        names.append(name)
    tapes.get(names[0])
    name, tape = tapes.new(PARAMS)
    tapes.put(name, tape, 0, state(3))
    assert tapes.bytes <= 3 * 256
    tapes.get(names[0])
    with pytest.raises(BadInput, match="from the start"):
        tapes.get(names[1])


def test_a_long_tape_is_thinned_and_still_ends_with_its_last_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAPE_BYTES", 16 * 256)
    tapes = Tapes()
    name, tape = tapes.new(PARAMS)
    for index in range(101):
        tapes.put(name, tape, index, state(index))
        assert tape.bytes <= 17 * 256
    last = tape.begin(100)
    assert last.index == 100 and (last.before == 99).all()
    early = tape.begin(37)
    assert early.index <= 37 and (early.x == early.index).all()


def test_runs_that_never_began_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TAPES", 5)
    tapes = Tapes()
    for _ in range(20):
        tapes.new(PARAMS)
    assert len(tapes) == 5
