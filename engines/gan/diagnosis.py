"""What a game suffers from, in words: what was seen, in numbers, and which rule to try. numpy only.

The signs are those of the literature: a generator that finds few modes while the discriminator is at a loss (collapse),
a discriminator so sure that the generator's gradient vanishes (Arjovsky & Bottou 2017, arXiv:1701.04862), a lead that goes
to and fro (oscillation), losses without a limit, and the paper's own resting place, D = 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engines.gan import PROBABILITIES
from engines.gan.pictures import Measures as Crowd
from engines.gan.pictures.rules import Rules as PictureRules
from engines.gan.plane import Measures, Rules

WINDOW = 12                      # looks that a judgement is based on
EARLY = 600                      # rounds in which every game looks ill
SURE, FOOLED = 0.95, 0.05        # D(real) above and D(fake) below: D is sure
VANISHED = 0.02                  # norm of G's gradient below which it hardly learns
FEW = 0.4                        # share of the modes below which a game has collapsed
SWING = 0.25                     # of D's lead, from its least to its most, that is more than the noise of a batch
APART = 0.4                      # bit of divergence above which a critic's lead has no reason to be nothing
LOST = 30.0                      # a loss beyond it, or a point beyond the plane, is divergence
RESTING = 0.06                   # of 1/2, within which D is at its resting place
CLOSE, WELL = 0.25, 0.8          # bit of divergence, and share of good points, that a game at rest has at least reached


@dataclass(frozen=True)
class Diagnosis:
    """kind: "collapse", "too-strong", "oscillation", "diverged" or "balanced". title: two words or three. saw: what was
    seen, in numbers. advice: what to try, a sentence. change: the rules that the advice names, ready to be played by."""

    kind: str
    title: str
    saw: str
    advice: str = ""
    change: dict[str, Any] = field(default_factory=dict)


def diagnose(steps: Sequence[int], seen: Sequence[Measures], rules: Rules) -> Diagnosis | None:
    """The newest WINDOW looks of a game judged; steps and seen belong together. None: nothing to say.

    A look at numbers that are none any more is passed over: that the game blew up has been said, and before is why.
    """
    seen = [each for each in seen[-2 * WINDOW:] if np.isfinite([each.loss_d, each.loss_g, each.d_real, each.d_fake]).all()]
    if len(seen) < WINDOW or steps[-1] < EARLY:
        return None
    last = list(seen[-WINDOW:])
    for judge in (_too_strong, _diverged, _collapse, _oscillation, _balanced):
        found = judge(last, rules)
        if found is not None:
            return found
    return None


def _mean(seen: Sequence[Measures], name: str) -> float:
    return float(np.mean([getattr(each, name) for each in seen]))


def _diverged(seen: list[Measures], rules: Rules) -> Diagnosis | None:
    worst = abs(_mean(seen, "loss_d"))
    if rules.loss in PROBABILITIES:                  # a critic's scores have no zero, and so has what G makes of them
        worst = max(worst, abs(_mean(seen, "loss_g")))
    if worst < LOST:
        return None
    saw = f"The losses are at {_mean(seen, 'loss_d'):.3g} (D) and {_mean(seen, 'loss_g'):.3g} (G), and hardly a point lies near the data."
    change = {"lr_g": rules.lr_g / 10, "lr_d": rules.lr_d / 10} if max(rules.lr_g, rules.lr_d) > 1e-4 else {}
    return Diagnosis("diverged", "It runs away", saw, "Go back to an earlier moment and take smaller steps." if change else
                     "Start over with other rules.", change)


def _too_strong(seen: list[Measures], rules: Rules) -> Diagnosis | None:
    real, fake, norm = _mean(seen, "d_real"), _mean(seen, "d_fake"), _mean(seen, "norm_g")
    if rules.loss not in PROBABILITIES or real < SURE or fake > FOOLED or _mean(seen, "loss_g") > LOST:
        return None
    saw = f"Lately D(real) was {100 * real:.0f} % and D(generated) {100 * fake:.0f} %"
    change: dict[str, Any] = {"d_steps": 1} if rules.d_steps > 1 else {}
    if rules.lr_d > 2 * rules.lr_g:
        change |= {"lr_g": 0.001, "lr_d": 0.001}
    if rules.loss == "minimax" and norm < VANISHED:
        return Diagnosis("too-strong", "D is too strong", f"{saw}; the gradient that reached G had a norm of {norm:.1g}.",
                         "Where D is sure the minimax loss is flat; the non-saturating one is steep there.",
                         {"loss": "non-saturating"})
    if change:
        return Diagnosis("too-strong", "D is too strong", f"{saw}: G never gets near.", "Let D learn no faster than G.", change)
    return Diagnosis("too-strong", "D is too strong", f"{saw}: G never gets near.",
                     "Blur what D sees, so that real and generated points overlap.", {"noise": max(0.1, 2 * rules.noise)})


def _collapse(seen: list[Measures], rules: Rules) -> Diagnosis | None:
    count, found = len(seen[-1].modes), _mean(seen, "found")
    if count:
        if found > FEW * count:
            return None
        saw = f"{seen[-1].found} of {count} modes found"
        led = {int(each.modes.argmax()) for each in seen if each.modes.max() > 0.05}
        if len(led) > 2:
            saw += ", and soon others: D drives G on"
    else:
        if _mean(seen, "good") < 0.8 or _mean(seen, "jsd") < 0.6:
            return None
        saw = (f"{100 * _mean(seen, 'good'):.0f} % of the points lie on the data, but only on a part of it "
               f"(divergence {_mean(seen, 'jsd'):.2f} bit)")
    if rules.loss in PROBABILITIES:
        real, fake = _mean(seen, "d_real"), _mean(seen, "d_fake")
        saw += f"; D(real) {100 * real:.0f} %, D(generated) {100 * fake:.0f} %"
        if max(abs(real - 0.5), abs(fake - 0.5)) <= RESTING:
            saw += ", here no sign of rest"
    return _held_to_slope(Diagnosis("collapse", "Mode collapse", f"{saw}."), rules)


def _oscillation(seen: list[Measures], rules: Rules) -> Diagnosis | None:
    lead = np.array([each.d_real - each.d_fake for each in seen])
    if rules.loss in PROBABILITIES:
        swing, turns = float(np.ptp(lead)), _changes(lead - lead.mean())
        if swing < SWING or turns < 3:
            return None
        how = f"went {turns} times up and down, by {swing:.2f} at most"
    else:                            # a score has no scale of its own: it is who leads that changes, though both are far apart
        turns = _changes(lead)
        if turns < 3 or _mean(seen, "jsd") < APART:
            return None
        how = f"changed its sign {turns} times, between {lead.min():.2g} and {lead.max():.2g}"
    saw = f"In the last {len(seen)} looks D's lead, D(real) less D(generated), {how}: each undoes what the other has learned."
    found = Diagnosis("oscillation", "They run in circles", saw)
    if rules.beta1 > 0.6:
        return replace(found, advice="Momentum feeds the swing: take less of it.", change={"beta1": 0.0})
    if rules.optimiser != "adam":
        return replace(found, advice="Adam takes the swing out of it.",
                       change={"optimiser": "adam", "lr_g": 0.001, "lr_d": 0.001, "beta1": 0.5})
    if not rules.r1:
        return replace(found, advice="Keep D flat at real points, so that there is a place to rest.", change={"r1": 0.1})
    return replace(found, advice="Take smaller steps.", change={"lr_g": rules.lr_g / 3, "lr_d": rules.lr_d / 3})


def _changes(values: np.ndarray) -> int:
    """How often a row of numbers changes its sign."""
    return int((np.diff(np.sign(values)) != 0).sum())


def _held_to_slope(found: Diagnosis, rules: Rules) -> Diagnosis:
    """The advice for a G that runs after a D which gives no direction between the modes."""
    change: dict[str, Any] = {"loss": "wgan-gp", "gp": 0.1, "d_steps": max(3, rules.d_steps)}
    advice = "WGAN-GP points to the modes that are missing"
    if rules.loss == "wgan-gp":
        change, advice = {"d_steps": min(10, rules.d_steps + 2)}, "Let the critic learn more between two steps of G"
    if len(rules.d_layers) < 2 or max(rules.d_layers) < 32:
        change["d_layers"] = (64, 64)
        advice += ", given room in D"
    if max(rules.lr_g, rules.lr_d) > 0.002 or rules.optimiser != "adam":
        change |= {"lr_g": 0.001, "lr_d": 0.001}
        advice += "; shorter steps let G get there"
    if rules.optimiser != "adam":
        change["optimiser"] = "adam"
    if rules.beta1 > 0.6:
        change["beta1"] = 0.5
    return replace(found, advice=f"{advice}.", change=change)


def _balanced(seen: list[Measures], rules: Rules) -> Diagnosis | None:
    real, fake = _mean(seen, "d_real"), _mean(seen, "d_fake")
    if rules.loss not in PROBABILITIES or max(abs(real - 0.5), abs(fake - 0.5)) > RESTING or _mean(seen, "jsd") > CLOSE or _mean(seen, "good") < WELL:
        return None
    if len(seen[-1].modes) and _mean(seen, "found") < 0.9 * len(seen[-1].modes):
        return None
    return Diagnosis("balanced", "In balance", f"Lately D(real) was {100 * real:.0f} % and D(generated) {100 * fake:.0f} %: "
                     f"D can only guess, and {100 * _mean(seen, 'good'):.0f} % of the points are good.")


# --- pictures -----------------------------------------------------------------------------------------------------

STEPS = 60                       # of a game of pictures, that a judgement is based on: some seconds
BEGUN = 150                      # steps in which every game of pictures looks ill
SMOOTH = 6                       # steps that are taken together: one batch says little
ONCE, LEFT = 0.15, 0.4           # recall that was reached once, and the share of it below which the variety is lost
PASSING = 0.35                   # D's verdict on generated pictures above which they pass


@dataclass(frozen=True)
class Stretch:
    """The last steps of a game of pictures. losses, real, fake, norm: means; lead: D(real) less D(fake), smoothed."""

    loss_d: float
    loss_g: float
    real: float
    fake: float
    norm: float
    lead: np.ndarray
    probable: bool
    measured: Sequence[Crowd]


def diagnose_pictures(curve: np.ndarray, measured: Sequence[Crowd], rules: PictureRules) -> Diagnosis | None:
    """A game of pictures judged by its last steps and by what was measured so far, oldest first. None: nothing to say.

    curve: float32 (n, 7), columns step, loss_d, loss_g, d_real, d_fake, norm_d, norm_g.
    """
    curve = curve[np.isfinite(curve).all(1)][-STEPS:]
    if len(curve) < STEPS or curve[-1, 0] < BEGUN:
        return None
    _, loss_d, loss_g, real, fake, _, norm = curve.mean(0)
    lead = (curve[:, 3] - curve[:, 4]).reshape(-1, SMOOTH).mean(1)
    last = Stretch(loss_d, loss_g, real, fake, norm, lead, rules.loss in PROBABILITIES, measured)
    for judge in (_pictures_run_away, _pictures_too_strong, _pictures_collapse, _pictures_in_circles):
        found = judge(last, rules)
        if found is not None:
            return found
    return None


def _pictures_run_away(last: Stretch, rules: PictureRules) -> Diagnosis | None:
    if not last.probable or max(abs(last.loss_d), abs(last.loss_g)) < LOST:
        return None
    return Diagnosis("diverged", "It runs away", f"The losses are at {last.loss_d:.3g} (D) and {last.loss_g:.3g} (G).",
                     "Go back to an earlier moment and take smaller steps.", {"lr_g": rules.lr_g / 10, "lr_d": rules.lr_d / 10})


def _pictures_too_strong(last: Stretch, rules: PictureRules) -> Diagnosis | None:
    if not last.probable or last.real < SURE or last.fake > FOOLED:
        return None
    if rules.loss == "minimax":
        advice, change = "Where D is sure the minimax loss is flat; the non-saturating one is steep there.", {"loss": "non-saturating"}
    elif rules.d_steps > 1 or rules.lr_d > 2 * rules.lr_g:
        advice, change = "Let D learn no faster than G.", {"d_steps": 1, "lr_d": rules.lr_g}
    elif not rules.r1:
        advice, change = "Keep D flat at real pictures: it says less, but with a slope.", {"r1": 1.0}
    else:
        advice, change = "Blur what D sees, so that real and generated pictures overlap.", {"noise": max(0.1, min(1.0, 2 * rules.noise))}
    saw = f"Lately D(real) was {100 * last.real:.0f} % and D(generated) {100 * last.fake:.1f} %; G's gradient had a norm of {last.norm:.2g}."
    return Diagnosis("too-strong", "D is too strong", saw, advice, change)


def _pictures_collapse(last: Stretch, rules: PictureRules) -> Diagnosis | None:
    if not last.measured:
        return None
    best, now = max(each.recall for each in last.measured), last.measured[-1].recall
    if best < ONCE or now >= LEFT * best or (last.probable and last.fake < PASSING):
        return None
    saw = f"Recall has fallen from {best:.2f} to {now:.2f}"
    saw += f" while D(generated) is {100 * last.fake:.0f} %: fewer kinds of pictures, and they pass." if last.probable else \
        ": fewer kinds of pictures."
    if rules.loss == "wgan-gp":
        return Diagnosis("collapse", "Mode collapse", saw, "Let the critic learn more between two steps of G.",
                         {"d_steps": min(10, rules.d_steps + 2)})
    return Diagnosis("collapse", "Mode collapse", saw, "R1 keeps D from making G run: go back and play by more of it.",
                     {"r1": max(1.0, 2 * rules.r1)})


def _pictures_in_circles(last: Stretch, rules: PictureRules) -> Diagnosis | None:
    swing, turns = float(np.ptp(last.lead)), _changes(last.lead - last.lead.mean())
    if not last.probable or swing <= SWING or turns < 4:
        return None
    saw = f"In the last {STEPS} steps D's lead went {turns} times up and down, by {swing:.2f} at most: each undoes what the other has learned."
    if rules.beta1 > 0.6:
        return Diagnosis("oscillation", "They run in circles", saw, "Momentum feeds the swing: take less of it.", {"beta1": 0.0})
    return Diagnosis("oscillation", "They run in circles", saw, "Take smaller steps.", {"lr_g": rules.lr_g / 3, "lr_d": rules.lr_d / 3})
