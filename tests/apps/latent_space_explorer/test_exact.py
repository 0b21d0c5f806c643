"""What the page asks the model itself."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from apps.latent_space_explorer import exact
from engines import runtime, vae


@pytest.fixture(autouse=True)
def here(shelf_of) -> None:
    shelf_of(("small", "mnist", 2))


def ask(**args) -> dict:
    return asyncio.run(exact.read_again({"model": "small", **args}))


def test_read_again_is_the_encoder_after_the_decoder() -> None:
    points = [[0.0, 0.0], [1.0, -0.5], [-2.0, 3.0]]
    painted = runtime.start(vae.decode, vae.Decode("small", tuple(map(tuple, points))), session="test").result().images
    mu = runtime.start(vae.encode, vae.Encode("small", painted), session="test").result().mu
    assert np.allclose(ask(points=points)["mu"], mu, atol=1e-5)


@pytest.mark.parametrize("points, word", [([], "1 to 1024"), ([[0.0, 0.0]] * 1025, "1 to 1024"), ("here", "list"),
                                          ([[0.0]], "2"), ([["x", 0]], "number"), ([[float("nan"), 0]], "nan")])
def test_a_question_out_of_range_is_told(points: object, word: str) -> None:
    assert word in ask(points=points)["error"]
