"""What a game suffers from is seen in real games, and the advice can be played by."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engines.gan import pictures, plane
from engines.gan.diagnosis import BEGUN, STEPS, WINDOW, diagnose, diagnose_pictures
from engines.gan.plane import Measures, Play, Rules, Shape, jobs
from engines.gan.plane.presets import COLLAPSE, LOSS_DECIDES, RECOMMENDED, REPAIRED, RULED_BY_SLOPE, SWINGING, TOO_GOOD

GOOD = Measures(1.38, 0.7, 0.51, 0.49, 0.1, 0.1, 8, np.full(8, 0.12, np.float32), 0.96, 0.1)


def played(rules: Rules, seed: int, until: int, every: int = 50, shape: str = "ring") -> list[plane.Look]:
    return [look for look in jobs.play(Play(Shape(shape), rules, seed, until, every=every)) if look is not None]


def said(looks: list[plane.Look], rules: Rules) -> object:
    return diagnose([look.step for look in looks], [look.measures for look in looks], rules)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_collapsed_game_is_told_and_the_advice_mends_it(seed: int) -> None:
    looks = played(COLLAPSE, seed, 2000)
    assert looks[-1].measures.found <= 3
    found = said(looks, COLLAPSE)
    assert found.kind == "collapse" and "of 8 modes found" in found.saw
    mended = dataclasses.replace(COLLAPSE, **found.change)
    assert mended == REPAIRED
    again = played(mended, seed, 1500)
    assert again[-1].measures.found == 8
    assert said(again, mended) is None


@pytest.mark.parametrize("seed", [0, 1])
def test_a_detective_that_is_too_good_is_told_and_the_advice_mends_it(seed: int) -> None:
    looks = played(TOO_GOOD, seed, 1200, 25)
    last = looks[-1].measures
    assert last.d_real > 0.99 and last.d_fake < 0.01 and last.norm_g < 1e-3
    found = said(looks, TOO_GOOD)
    assert found.kind == "too-strong" and "gradient that reached G had a norm of" in found.saw
    mended = dataclasses.replace(TOO_GOOD, **found.change)
    assert mended == dataclasses.replace(TOO_GOOD, loss="non-saturating")
    go_on = jobs.play(Play(Shape("ring"), mended, seed, 3600, every=200, start=looks[-1].moment))
    again = [look for look in go_on if look is not None]
    assert again[-1].measures.found >= 7, "the loss alone frees it"


@pytest.mark.parametrize("seed", [1, 2])
def test_where_the_loss_alone_decides_wgan_gp_finds_what_the_other_does_not(seed: int) -> None:
    assert dataclasses.replace(RULED_BY_SLOPE, loss="non-saturating") == LOSS_DECIDES
    looks = played(LOSS_DECIDES, seed, 3000)
    assert looks[-1].measures.found <= 3 and said(looks, LOSS_DECIDES).kind == "collapse"
    assert played(RULED_BY_SLOPE, seed, 3000)[-1].measures.found == 8


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("loss", ["non-saturating", "hinge", "wgan-gp"])
def test_players_that_run_in_circles_are_told_and_the_advice_brings_them_to_rest(loss: str, seed: int) -> None:
    rules = dataclasses.replace(SWINGING, loss=loss, gp=0.1)
    looks = played(rules, seed, 2160, 36, "line")
    kinds = [found.kind for end in range(2 * WINDOW, len(looks) + 1, WINDOW) if (found := said(looks[:end], rules))]
    assert kinds.count("oscillation") >= 2
    mended = dataclasses.replace(rules, beta1=0.0)
    go_on = jobs.play(Play(Shape("line"), mended, seed, 3600, every=36, start=looks[-1].moment))
    found = said([look for look in go_on if look is not None], mended)
    assert found is None if loss != "non-saturating" else found.kind == "balanced"


@pytest.mark.parametrize("seed", [0, 1])
def test_the_recommended_rules_rest_on_the_ring(seed: int) -> None:
    looks = played(RECOMMENDED, seed, 5000, 100)
    last = looks[-1].measures
    assert last.found == 8 and last.good >= 0.95 and last.jsd < 0.25
    assert said(looks, RECOMMENDED).kind == "balanced"


def history(*changes: dict[str, object]) -> list[Measures]:
    return [dataclasses.replace(GOOD, **change) for change in changes]


def judged(seen: list[Measures], rules: Rules = Rules()) -> str | None:
    found = diagnose(list(range(1000, 1000 + len(seen))), seen, rules)
    return found and found.kind


def test_each_sign_alone() -> None:
    few = np.array([0.9, 0, 0, 0, 0, 0, 0, 0], np.float32)
    assert judged(history(*[{}] * WINDOW)) == "balanced"
    assert judged(history(*[{"found": 1, "modes": few}] * WINDOW)) == "collapse"
    assert judged(history(*[{"loss_d": 900.0}] * WINDOW)) == "diverged"
    assert judged(history(*[{"loss_g": 900.0}] * WINDOW), Rules(loss="wgan")) is None, "a score has no zero"
    assert judged(history(*[{"d_real": 1.0, "d_fake": 0.0}] * WINDOW)) == "too-strong"
    swings = [{"d_real": 0.5 + 0.2 * (-1) ** k, "d_fake": 0.5 - 0.2 * (-1) ** k, "jsd": 0.5} for k in range(WINDOW)]
    assert judged(history(*swings)) == "oscillation"
    assert judged(history(*swings), Rules(loss="wgan")) == "oscillation"
    assert judged(history(*[{**each, "jsd": 0.1} for each in swings]), Rules(loss="wgan")) is None, "a critic at rest is no better than chance"
    nothing = np.zeros(0, np.float32)
    assert judged(history(*[{"modes": nothing, "found": 0, "good": 0.97, "jsd": 0.8}] * WINDOW)) == "collapse"


def test_nothing_is_said_too_early_or_of_a_score() -> None:
    assert diagnose([0], [GOOD], Rules()) is None
    assert diagnose(list(range(WINDOW)), [GOOD] * WINDOW, Rules()) is None
    assert judged(history(*[{}] * WINDOW), Rules(loss="wgan-gp")) is None


@pytest.mark.parametrize("rules", [COLLAPSE, TOO_GOOD, Rules(optimiser="sgd", lr_g=0.1), Rules(beta1=0.9), Rules(loss="wgan-gp"),
                                   Rules(r1=1.0), Rules(d_layers=(4,)), Rules(loss="minimax")])
def test_every_advice_is_a_rule_that_can_be_played(rules: Rules) -> None:
    few = np.array([0.9, 0, 0, 0, 0, 0, 0, 0], np.float32)
    swings = [{"d_real": 0.5 + 0.2 * (-1) ** k, "d_fake": 0.5 - 0.2 * (-1) ** k, "jsd": 0.5} for k in range(WINDOW)]
    for changes in ([{"found": 1, "modes": few}] * WINDOW, [{"d_real": 1.0, "d_fake": 0.0, "norm_g": 0.0}] * WINDOW, swings,
                    [{"loss_g": 1e5}] * WINDOW):
        found = diagnose(list(range(1000, 1000 + WINDOW)), history(*changes), rules)
        if found is not None and found.change:
            assert dataclasses.replace(rules, **found.change) != rules and found.advice


# --- pictures ----------------------------------------------------------------------------------------------------------

def curve(real: object, fake: object, loss_g: float = 1.0) -> np.ndarray:
    """The last steps of a game of pictures, with D's verdicts as a number or a row of them."""
    rows = np.ones((STEPS, len(pictures.CURVE)), np.float32)
    rows[:, 0] = np.arange(BEGUN, BEGUN + STEPS)
    rows[:, 2], rows[:, 3], rows[:, 4] = loss_g, real, fake
    return rows


def crowds(*recalls: float) -> list[pictures.Measures]:
    return [pictures.Measures(100 * k, 500, "classifier", 30.0, 0.7, recall, 0.9, (0.1,) * 10) for k, recall in enumerate(recalls)]


SWING = np.repeat(0.5 + 0.3 * (-1.0) ** np.arange(STEPS // 6), 6)


@pytest.mark.parametrize("rows, measured, kind", [
    (curve(0.7, 0.3), (0.2, 0.4, 0.5), None),
    (curve(0.99, 0.01), (), "too-strong"),
    (curve(0.7, 0.3, 90.0), (), "diverged"),
    (curve(0.55, 0.5), (0.1, 0.5, 0.12), "collapse"),
    (curve(0.9, 0.1), (0.1, 0.5, 0.12), None),                       # the pictures do not pass: D is not fooled
    (curve(0.55, 0.5), (0.0, 0.05, 0.01), None),                     # it never knew many
    (curve(SWING, 1 - SWING), (), "oscillation"),
])
def test_each_sign_of_pictures_alone(rows: np.ndarray, measured: tuple[float, ...], kind: str | None) -> None:
    found = diagnose_pictures(rows, crowds(*measured), pictures.Rules())
    assert (found and found.kind) == kind


def test_of_pictures_nothing_is_said_too_early() -> None:
    rows = curve(0.99, 0.01)
    assert diagnose_pictures(rows[:-1], [], pictures.Rules()) is None
    rows[:, 0] -= STEPS
    assert diagnose_pictures(rows, [], pictures.Rules()) is None


@pytest.mark.parametrize("rules", [pictures.Rules(), pictures.Rules(loss="minimax"), pictures.Rules(r1=0.0), pictures.Rules(d_steps=5),
                                   pictures.Rules(loss="wgan-gp"), pictures.Rules(beta1=0.9)])
def test_every_advice_for_pictures_can_be_played(rules: pictures.Rules) -> None:
    for rows, measured in ((curve(0.99, 0.01), ()), (curve(0.55, 0.5), (0.5, 0.1)), (curve(SWING, 1 - SWING), ()), (curve(0.7, 0.3, 90.0), ())):
        found = diagnose_pictures(rows, crowds(*measured), rules)
        if found is not None:
            assert dataclasses.replace(rules, **found.change) != rules and found.advice
