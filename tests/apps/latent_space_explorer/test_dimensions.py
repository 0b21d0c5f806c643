"""The Dimensions tool's answers, over a toy space whose truth is known, with a decoder that can be read off."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from apps.latent_space_explorer import catalogue, codes, dimensions, pictures
from apps.latent_space_explorer.codes import Space
from engines import data
from engines.runtime import BadInput

D, N = 4, 60


def toy(kind: str = "vae") -> Space:
    """Dimension 2 says most, 0 less, 1 and 3 nothing: their posterior is the prior."""
    rng = np.random.default_rng(0)
    mu = rng.standard_normal((N, D)).astype(np.float32) * np.array([0.7, 0.0, 1.0, 0.0], np.float32)
    logvar = np.tile(np.array([-1.0, 0.0, -4.0, 0.01], np.float32), (N, 1))
    return Space("toy", {"dataset": "toys", "kind": kind, "beta": 1.0, "image": [8, 8, 1]}, mu, logvar)


def drawn(points: np.ndarray) -> np.ndarray:
    """The toy decoder: dimension k is the grey of pixel k."""
    images = np.zeros((len(points), 8, 8, 1), np.uint8)
    images[:, 0, :D, 0] = np.clip(np.round(128 + 30 * points), 0, 255)
    return images


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Space:
    made = toy()
    images = drawn(made.mu)
    pictured = data.PictureSet(images, (np.arange(N) % 3).astype(np.uint8), ("cup", "box", "red hat"))

    async def decoded(space: Space, points: np.ndarray, request: Any) -> np.ndarray:
        return drawn(points)

    def read(name: str) -> Space:
        if name != "toy":
            raise BadInput("there is no such model")
        return made

    monkeypatch.setattr(codes, "read", read)
    monkeypatch.setattr(dimensions, "_decoded", decoded)
    monkeypatch.setattr(catalogue, "pictures", lambda dataset: pictured)
    pictures._words.cache_clear()
    yield made
    pictures._words.cache_clear()


def ask(function: Callable[..., Any], **request: Any) -> dict[str, Any]:
    return asyncio.run(function({"model": "toy", **request}))


def opened(sheet: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.split(",")[1]))))


def test_dimensions_come_by_what_they_say_and_collapsed_ones_give_the_reason(space: Space) -> None:
    answer = ask(dimensions.dimension_overview)
    assert [dimension["k"] for dimension in answer["dimensions"]][:2] == [2, 0]
    assert [dimension["collapsed"] for dimension in answer["dimensions"]] == [False, False, True, True]
    assert "says nothing" in answer["dimensions"][-1]["sentence"]
    expected = 0.5 * (space.mu**2 + np.exp(space.logvar) - 1 - space.logvar)
    assert answer["kl"] == pytest.approx(float(expected.mean(0).sum()), rel=1e-5)
    assert answer["kl"] == pytest.approx(sum(dimension["kl"] for dimension in answer["dimensions"]), rel=1e-5)


def test_a_plain_autoencoder_has_no_collapsed_dimension(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "read", lambda name: toy("ae"))
    answer = ask(dimensions.dimension_overview)
    assert answer["plain"] and not any(dimension["collapsed"] for dimension in answer["dimensions"])
    assert [dimension["spread"] for dimension in answer["dimensions"]] == sorted(
        (dimension["spread"] for dimension in answer["dimensions"]), reverse=True)


def test_a_row_of_traversals_moves_one_dimension_and_nothing_else(space: Space) -> None:
    z = [0.5, -0.5, 1.0, 0.0]
    answer = ask(dimensions.dimension_traversal, z=z, dims=[2, 0], steps=5, low=[-2, -1], high=[2, 1], size=8)
    assert answer["values"] == [[-2, -1, 0, 1, 2], [-1, -0.5, 0, 0.5, 1]]
    sheet = opened(answer["sheet"])
    assert sheet.shape == (2 * 8, 5 * 8)
    for row, k in enumerate([2, 0]):
        for column, value in enumerate(answer["values"][row]):
            at = np.array(z)
            at[k] = value
            tile = sheet[row * 8:row * 8 + 8, column * 8:column * 8 + 8]
            assert np.array_equal(tile, drawn(at[None])[0, :, :, 0])


@pytest.mark.parametrize("wrong", [{"dims": []}, {"dims": [9]}, {"dims": "all"}, {"steps": 1}, {"steps": 99},
                                   {"z": [1]}, {"z": None}, {"z": ["a", 0, 0, 0]}, {"low": [float("nan")]}, {"low": [1, 2]},
                                   {"size": 10**6}, {"model": "../etc"}, {"dims": [True]},
                                   {"steps": float("nan")}, {"steps": "7"}, {"size": float("inf")}])
def test_what_a_page_should_not_send_comes_back_as_one_sentence(space: Space, wrong: dict[str, Any]) -> None:
    answer = ask(dimensions.dimension_traversal, **{"z": [0, 0, 0, 0], "dims": [0], **wrong})
    assert set(answer) == {"error"} and answer["error"].strip()


def test_nothing_but_a_mapping_is_understood() -> None:
    assert "error" in asyncio.run(dimensions.dimension_overview(["toy"]))


def test_a_seed_draws_the_same_point_and_another_seed_another(space: Space) -> None:
    one, again, other = (ask(dimensions.prior_draw, seed=seed)["z"] for seed in (3, 3, 4))
    assert one == again != other
    many = np.array([ask(dimensions.prior_draw, seed=seed)["z"] for seed in range(400)])
    assert np.allclose(many.mean(0), 0, atol=0.2) and np.allclose(many.std(0), 1, atol=0.15)


def test_the_mean_of_a_class_is_the_mean_of_its_codes(space: Space) -> None:
    answer = ask(dimensions.class_mean, label=1)
    assert np.allclose(answer["z"], space.mu[1::3].mean(0), atol=1e-4)
    assert "error" in ask(dimensions.class_mean, label=3)


def test_a_sum_adds_and_subtracts_the_means_of_codes(space: Space) -> None:
    answer = ask(dimensions.arithmetic, a=[1, 2], b=[3], c=[4, 5, 6])
    expected = space.mu[[1, 2]].mean(0) - space.mu[3] + space.mu[[4, 5, 6]].mean(0)
    assert np.allclose(answer["z"], expected, atol=1e-4)
    distance = np.linalg.norm(space.mu - expected, axis=1)
    assert answer["nearest"]["index"] == int(distance.argmin())
    assert answer["nearest"]["distance"] == pytest.approx(float(distance.min()), rel=1e-4)
    sheet = opened(answer["sheet"])                                      # A, B, C, the sum, the nearest real picture
    assert np.array_equal(sheet[:, 3 * 8:4 * 8], drawn(expected[None])[0, :, :, 0])


def test_a_sum_that_comes_back_says_so(space: Space) -> None:
    answer = ask(dimensions.arithmetic, a=[7], b=[7], c=[9])
    assert answer["nearest"]["index"] == 9 and "C itself" in answer["verdict"]


def test_a_sum_that_lands_outside_says_so(space: Space) -> None:
    outermost = int(np.linalg.norm(space.mu, axis=1).argmax())
    opposite = int((space.mu @ space.mu[outermost]).argmin())
    answer = ask(dimensions.arithmetic, a=[outermost], b=[opposite], c=[outermost])
    assert "further out" in answer["verdict"]


def test_a_picture_that_is_called_so_comes_before_others_that_hold_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = ("grinning cat with smiling eyes", "cat face", "grinning cat")
    named = data.PictureSet(drawn(np.zeros((3, D))), np.zeros(3, np.uint8), ("animals",), titles, ("a", "b", "c"))
    monkeypatch.setattr(catalogue, "pictures", lambda dataset: named)
    pictures._words.cache_clear()
    assert pictures.find("toys", "grinning cat", 3).tolist() == [2, 0]
    assert pictures.find("toys", "Anim", 3).tolist() == [0, 1, 2]
    pictures._words.cache_clear()


@pytest.mark.parametrize("wrong", [{"a": []}, {"b": [N]}, {"c": "1"}, {"a": [1] * 51}, {"a": [0.5, None]}, {"b": [-1]}])
def test_a_sum_refuses_what_is_no_picture(space: Space, wrong: dict[str, Any]) -> None:
    answer = ask(dimensions.arithmetic, **{"a": [1], "b": [2], "c": [3], **wrong})
    assert set(answer) == {"error"}


def test_pictures_are_found_by_every_word_and_by_chance(space: Space) -> None:
    assert ask(dimensions.find_pictures, query="cup", limit=40)["indices"] == list(range(0, N, 3))
    assert ask(dimensions.find_pictures, query="hat red")["total"] == N // 3
    nothing = ask(dimensions.find_pictures, query="<img src=x onerror=alert(1)>")
    assert nothing["total"] == 0 and "sheet" not in nothing
    one, again, other = (ask(dimensions.find_pictures, seed=seed)["indices"] for seed in (1, 1, 2))
    assert one == again != other and sorted(ask(dimensions.find_pictures, limit=60)["indices"]) == list(range(N))


@pytest.mark.parametrize(("text", "fine"), [("1-2+3", True), ("1.22-3+4.5", True), ("1-2", False), ("a-b+c", False),
                                            ("", False),
                                            ("1-2+3&x", False), ("1" * 5000 + "-1+1", False)])
def test_a_sum_in_the_address_is_read_strictly(text: str, fine: bool) -> None:
    if fine:
        assert dimensions.FIELDS["sum"].read(text) == text
    else:
        with pytest.raises(BadInput):
            dimensions.FIELDS["sum"].read(text)


@settings(deadline=None)
@given(st.integers(1, 23), st.integers(1, 9), st.sampled_from([1, 3]))
def test_a_sheet_holds_every_picture_in_its_place(n: int, columns: int, channels: int) -> None:
    images = np.random.default_rng(n).integers(0, 256, (n, 8, 8, channels), np.uint8)
    sheet = opened(pictures.sheet(images, columns, 8))
    assert sheet.shape[:2] == (-(-n // columns) * 8, columns * 8)
    if channels == 1:
        for index, image in enumerate(images):
            row, column = divmod(index, columns)
            assert np.array_equal(sheet[row * 8:row * 8 + 8, column * 8:column * 8 + 8], image[:, :, 0])


def test_smaller_pictures_are_the_means_of_their_areas() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    small = pictures._smaller(images, 32)
    means = images.reshape(3, 32, 2, 32, 2, 3).mean((2, 4))
    assert small.shape == (3, 32, 32, 3) and np.abs(small - means).max() <= 1
