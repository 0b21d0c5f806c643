"""What the hub keeps of a game: within its memory, for an hour, and enough to go on from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from apps.gan_trainer import films
from apps.gan_trainer.films import Film, Films, Gone, Kept
from engines.gan import plane


def kept(step: int, marked: bool = False, size: int = 1000, who: str = "both") -> Kept:
    row = np.zeros(size, np.float32)
    moment = plane.Moment(plane.Rules(), step, row, row, np.zeros((2, size), np.float32), np.zeros((2, size), np.float32),
                          (step, step), np.zeros(0, np.float32), np.zeros(16, np.uint8))
    return Kept(moment, who, marked)


def film(steps: range, **how: object) -> Film:
    made = Film(plane.Shape(), 0)
    for step in steps:
        made.put(kept(step, **how))
    return made


def test_a_long_film_stays_within_its_memory_and_keeps_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "MOMENT_BYTES", 20 * kept(0).bytes)
    made = film(range(0, 100_000, 10))
    assert made.bytes <= films.MOMENT_BYTES + kept(0).bytes
    assert made.kept[0].step == 0 and made.newest.step == 99_990
    gaps = np.diff([each.step for each in made.kept])
    assert (gaps > 0).all() and gaps.max() < 100_000 / 2


def test_moments_at_which_a_rule_changed_stay_when_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "MOMENT_BYTES", 20 * kept(0).bytes)
    made = Film(plane.Shape(), 0)
    for step in range(500):
        made.put(kept(step, marked=step == 77))
    assert 77 in [each.step for each in made.kept]


def test_where_a_rule_changed_at_every_look_the_film_is_thinned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "MOMENT_BYTES", 20 * kept(0).bytes)
    assert film(range(500), marked=True).bytes <= films.MOMENT_BYTES + kept(0).bytes


def test_the_moment_before_a_step_is_found_and_a_branch_ends_there() -> None:
    made = film(range(0, 100, 10))
    assert made.before(55).step == 50 and made.before(50).step == 50 and made.before(1000).step == 90
    branch = made.branch(55)
    assert branch.newest.step == 50 and made.newest.step == 90
    with pytest.raises(Gone):
        Film(plane.Shape(), 0).before(3)


def test_looks_and_what_was_said_are_kept_beside_the_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "MOST_SAYINGS", 5)
    made = film(range(0, 100, 10))
    for step in range(0, 100, 5):
        made.see(step, bytes([step]), False)
        assert b'"kind":"collapse"' in made.say(step, {"kind": "collapse"}).replace(b" ", b"")
    assert made.told() == bytes(range(0, 100, 5)) and made.last == 95
    assert [each["step"] for each in made.sayings] == [0, 80, 85, 90, 95]
    branch = made.branch(82)
    assert branch.last == 80 and [each["step"] for each in branch.sayings] == [0, 80] and len(made.sayings) == 5


def test_a_moment_of_a_step_that_is_there_replaces_what_came_after() -> None:
    made = film(range(0, 100, 10))
    made.put(kept(40, who="d"))
    assert [each.step for each in made.kept] == [0, 10, 20, 30, 40] and made.newest.who == "d"


def test_films_are_forgotten_after_an_hour_and_when_others_need_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(films.time, "monotonic", lambda: now[0])
    held = Films(limit=3 * film(range(10)).bytes)
    names = [held.add(dataclasses.replace(film(range(10)), used=now[0])) for _ in range(6)]
    held.tidy()
    assert len(held) == 3
    with pytest.raises(Gone, match="no longer kept here"):
        held.get(names[0])
    now[0] = films.HOUR_S - 1
    assert held.get(names[-1]).newest.step == 9
    now[0] = 2 * films.HOUR_S - 2
    assert held.get(names[-1]), "its hour begins anew with each use"
    now[0] += films.HOUR_S + 1
    with pytest.raises(Gone):
        held.get(names[-1])
