"""Parameters check themselves: whatever is given is either accepted and sane, or refused in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import diffusion as asked
from engines.runtime import BadInput
from tests.engines.vae.test_params import accepted, number, picture, whole

anything = st.one_of(number, whole, st.booleans())


@given(st.lists(st.one_of(whole, number), max_size=4).map(tuple), anything, st.sampled_from([*asked.SAMPLERS, "magic"]),
       anything, anything, st.sampled_from([*asked.SCHEDULES, ""]), anything, anything, anything)
def test_sample(labels: tuple, guidance: float, sampler: str, eta: float, steps: int, schedule: str, count: int,
                seed: int, strength: float) -> None:
    made = accepted(lambda: asked.Sample("m", labels, guidance, sampler, eta, steps, schedule, count, seed,
                                         strength=strength))
    if made:
        assert 1 <= made.steps <= 1000 and 1 <= made.count <= 16 and 0 <= made.seed < 2**31
        assert all(map(math.isfinite, (made.guidance, made.eta, made.strength)))
        assert made.sampler in asked.SAMPLERS and made.schedule in asked.SCHEDULES


@given(picture, picture)
def test_pictures_and_masks(pixels: np.ndarray, mask: np.ndarray) -> None:
    made = accepted(lambda: asked.Sample("m", picture=pixels, mask=mask > 1))
    if made:
        assert made.picture.dtype == np.uint8 and made.mask.shape == made.picture.shape[:2] and made.mask.any()


@given(whole, picture.map(lambda each: each.astype(np.float32)))
def test_begin(index: int, x: np.ndarray) -> None:
    made = accepted(lambda: asked.Begin(index, x))
    if made:
        assert 0 <= made.index <= 1000 and made.x.ndim == 4


@pytest.mark.parametrize(("make", "words"), [
    (lambda: asked.Sample("m", steps=0), "the number of steps is 0; it may be 1 to 1000"),
    (lambda: asked.Sample("m", steps=-1), "the number of steps is -1"),
    (lambda: asked.Sample("m", steps=1001), "the number of steps is 1001"),
    (lambda: asked.Sample("m", seed=10**30), r"the seed is 1e\+30"),
    (lambda: asked.Sample("m", guidance=float("nan")), "guidance is nan; it may be -10 to 30"),
    (lambda: asked.Sample("m", picture=np.zeros((8, 8, 1), np.uint8), mask=np.zeros((8, 8), bool)), "the mask is empty"),
    (lambda: asked.Sample("m", mask=np.ones((8, 8), bool)), "without the picture"),
    (lambda: asked.Sample("m", labels=(1, 2), count=3), "2 classes were given for 3 pictures"),
    (lambda: asked.Begin(1, np.full((1, 1, 2, 2), np.nan, np.float32)), "not finite"),
    (lambda: asked.Dissolve(np.zeros((500, 500, 1), np.uint8)), "500 x 500 pixels; the limit is 256"),
])
def test_a_refusal_names_the_number_and_the_limit(make: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make()
