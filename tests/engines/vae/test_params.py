"""Parameters check themselves: whatever is given is either accepted and sane, or refused in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engines import vae as asked
from engines.runtime import BadInput

number = st.one_of(st.floats(), st.floats(-1e3, 1e3), st.just(float("nan")), st.just(1e9))
whole = st.one_of(st.integers(), st.integers(-2, 70))
vector = st.lists(number, max_size=20).map(tuple)
sane = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20).map(tuple)
picture = arrays.arrays(st.sampled_from([np.uint8, np.float32, np.int64]),
                        arrays.array_shapes(min_dims=1, max_dims=4, max_side=5))


def accepted(make: Callable[[], object]) -> object | None:
    """What was made, or None if it was refused as it should be: by one short sentence."""
    try:
        return make()
    except BadInput as refusal:
        said = str(refusal)
        assert said and "\n" not in said and len(said) < 300 and (":" in said or said.endswith("."))
        return None


@given(st.lists(st.one_of(vector, sane), max_size=5).map(tuple))
def test_decode(z: tuple) -> None:
    made = accepted(lambda: asked.Decode("m", z))
    if made:
        assert all(math.isfinite(value) and abs(value) <= asked.MAX_Z for point in made.z for value in point)
    elif z and all(point for point in z):
        assert any(not math.isfinite(value) or abs(value) > asked.MAX_Z for point in z for value in point)


@given(st.tuples(number, number, number, number), whole, whole, st.one_of(st.just(()), vector))
def test_grid(extent: tuple, rows: int, columns: int, origin: tuple) -> None:
    made = accepted(lambda: asked.Grid("m", extent, rows, columns, origin))
    if made:
        assert 4 <= made.rows * made.columns <= 4096 and all(map(math.isfinite, made.extent))


@given(picture)
def test_encode(pictures: np.ndarray) -> None:
    made = accepted(lambda: asked.Encode("m", pictures))
    assert bool(made) == (pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[-1] in (1, 3))


@given(picture, st.one_of(number, whole), st.one_of(number, whole))
def test_reconstruct(pixels: np.ndarray, n: float, seed: float) -> None:
    made = accepted(lambda: asked.Reconstruct("m", pixels, n, seed))
    if made:
        assert made.picture.ndim == 3 and 1 <= made.n <= 64 and 0 <= made.seed < 2**31
        assert isinstance(made.n, int) and isinstance(made.seed, int)


@given(st.lists(st.one_of(vector, sane), max_size=20).map(tuple), whole,
       st.sampled_from(["line", "circle", "", "spiral"]))
def test_interpolate(points: tuple, steps: int, way: str) -> None:
    made = accepted(lambda: asked.Interpolate("m", points, steps, way))
    if made:
        assert 2 <= len(made.points) <= made.steps <= asked.MAX_STEPS and made.way in ("line", "circle")


@given(st.sampled_from(["mnist", "fashion", "emoji", ""]), st.one_of(number, whole), number,
       st.sampled_from(["vae", "ae", "gan"]), number, st.one_of(number, whole))
@settings(max_examples=200)
def test_train(dataset: str, latent: float, beta: float, kind: str, seconds: float, seed: float) -> None:
    made = accepted(lambda: asked.Train(dataset, latent, beta, kind, seconds, seed))
    if made:
        assert made.dataset in ("mnist", "fashion") and isinstance(made.latent, int) and 2 <= made.latent <= 32
        assert 0 <= made.beta <= 20 and 1 <= made.seconds <= 120 and isinstance(made.seed, int)


@pytest.mark.parametrize("make, words", [
    (lambda: asked.Decode("m", ((float("nan"), 0.0),)), "nan"),
    (lambda: asked.Decode("m", ((1e9, 0.0),)), "1e[+]09; the limit is ±1000: choose"),
    (lambda: asked.Decode("m", ()), "0 points were asked for; the limit is 1024"),
    (lambda: asked.Decode("m", ((0.0,) * 600,)), "z has 600 numbers"),
    (lambda: asked.Grid("m", (-1, 1, -1, 1), 100, 100), "100 x 100"),
    (lambda: asked.Train(latent=2.5), "latent is 2.5; it must be a whole number"),
])
def test_a_refusal_names_the_number_and_the_limit(make: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make()
