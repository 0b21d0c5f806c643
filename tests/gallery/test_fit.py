"""A visitor's picture becomes what the data set holds: oracles are the data sets' own pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from engines import data
from engines.runtime import BadInput
from gallery import fit
from gallery.upload import Opened, open_picture
from tests.apps.latent_space_explorer.made import digit, drawing, encoded


def fitted(image: np.ndarray | Image.Image, dataset: str = "mnist", kind: str = "PNG", **how: object) -> np.ndarray:
    return fit.fit(open_picture(encoded(image, kind, **how)), dataset).picture


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference in levels of 255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


@pytest.mark.parametrize("index", range(40))
def test_a_picture_of_mnist_comes_back_as_it_is(index: int) -> None:
    assert apart(fitted(digit(index))[..., 0], digit(index)) < 0.3


@pytest.mark.parametrize("index", range(8))
@pytest.mark.parametrize("down, right", [(-4, 3), (2, -4), (0, 4)])
def test_a_shifted_picture_of_mnist_comes_back_in_its_place(index: int, down: int, right: int) -> None:
    shifted = np.roll(np.pad(digit(index), 8), (down, right), (0, 1))
    assert apart(fitted(shifted)[..., 0], digit(index)) < 0.3


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("index", [0, 1, 3, 7, 9, 11])
def test_an_enlarged_digit_anywhere_light_or_dark_comes_back(index: int, dark: bool) -> None:
    large = drawing(index=index)
    assert apart(fitted(large if dark else 255 - large)[..., 0], digit(index)) < 3


def test_light_and_dark_and_transparent_drawings_are_one_and_the_same() -> None:
    large = drawing(index=4)
    clear = np.zeros((*large.shape, 4), np.uint8)
    clear[..., 3] = large                                   # black ink on nothing
    chalk = clear.copy()
    chalk[..., :3] = 255                                    # white chalk on nothing
    expected = fitted(large)
    for other in (255 - large, clear, chalk):
        assert apart(fitted(other), expected) < 1.5


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(30, 500), st.integers(30, 500), st.integers(2, 20), st.randoms())
def test_mnists_two_rules_hold_for_any_drawing(width: int, height: int, pen: int, chance) -> None:
    image = Image.new("L", (width, height), 255)
    places = [(chance.randrange(width), chance.randrange(height)) for _ in range(5)]
    ImageDraw.Draw(image).line(places, fill=0, width=pen)
    try:
        picture = fit.as_mnist(Opened(image.convert("RGBA"), ())).picture[..., 0].astype(float)
    except BadInput:
        return                                              # five points in one place, off the edge of the pen
    top, bottom, left, right = fit.bounds(picture > 0)
    assert max(bottom - top, right - left) <= fit.BOX, "larger than MNIST's box"
    assert picture.max() == 255
    centre = (np.indices(picture.shape) * picture).sum((1, 2)) / picture.sum()
    at_edge = top == 0 or left == 0 or bottom == fit.SIDE or right == fit.SIDE
    assert at_edge or np.abs(centre - fit.MASS).max() <= 0.51, "the centre of mass is not in the middle"


def test_mnist_itself_keeps_the_two_rules() -> None:
    for picture in data.load("mnist", "test").images[:300, :, :, 0].astype(float):
        top, bottom, left, right = fit.bounds(picture > 0)
        assert max(bottom - top, right - left) == fit.BOX
        assert np.abs((np.indices(picture.shape) * picture).sum((1, 2)) / picture.sum() - fit.MASS).max() <= 0.51


def test_a_photograph_of_a_thin_pen_on_shaded_paper_becomes_a_digit() -> None:
    ink = Image.new("L", (1600, 1200), 0)
    ImageDraw.Draw(ink).line([(600, 300), (1000, 300), (800, 900)], fill=255, width=14, joint="curve")
    light = 0.55 + 0.35 * np.linspace(0, 1, 1600)[None] * np.linspace(0.6, 1, 1200)[:, None]
    grain = np.random.default_rng(0).normal(0, 0.02, light.shape)
    photo = np.clip(light * (1 - 0.75 * np.asarray(ink) / 255) + grain, 0, 1)
    found = fit.fit(open_picture(encoded((photo * 255).astype(np.uint8), "JPEG", quality=80)), "mnist")
    picture = found.picture[..., 0]
    assert (picture == 0).mean() > 0.7, "the paper is not black"
    assert 1.5 < fit.stroke_width(picture > 100) < 3.5, "the stroke is not as wide as MNIST's"
    assert any("evened" in note for note in found.notes) and any("thick" in note for note in found.notes)


def test_the_width_of_a_stroke_is_measured_in_any_direction() -> None:
    for angle in np.linspace(0, np.pi, 7):
        image = Image.new("1", (400, 400))
        reach = 150 * np.array([np.cos(angle), np.sin(angle)])
        ImageDraw.Draw(image).line([tuple(200 - reach), tuple(200 + reach)], fill=1, width=20)
        assert 15 < fit.stroke_width(np.asarray(image)) < 25


@pytest.mark.parametrize("index", range(12))
def test_a_picture_of_fashion_mnist_comes_back_as_it_is(index: int) -> None:
    picture = data.load("fashion", "test").images[index]
    assert apart(fitted(picture[..., 0], "fashion"), picture) == 0


def test_a_product_photograph_is_trimmed_negated_and_centred() -> None:
    shop = np.full((300, 500, 3), 255, np.uint8)
    shop[40:280, 20:180] = (60, 80, 120)                    # 240 high, 160 wide, off the middle, on white
    found = fit.fit(open_picture(encoded(shop)), "fashion")
    top, bottom, left, right = fit.bounds(found.picture[..., 0] > 60)
    assert (bottom - top, right - left) == (28, 19)
    assert abs(left - (28 - right)) <= 1
    assert found.picture[:, 0].max() == 0 and found.picture[14, 14, 0] > 150


@pytest.mark.parametrize("index", [0, 5, 100, 700])
def test_an_emoji_comes_back_as_it_is(index: int) -> None:
    picture = data.load("emoji", "all").images[index]
    assert apart(fitted(picture, "emoji"), picture) < 0.5


def test_transparency_is_laid_on_white_for_emoji() -> None:
    face = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(face).ellipse([10, 10, 150, 150], fill=(255, 200, 0, 255))
    picture = fitted(face, "emoji")
    assert picture.shape == (64, 64, 3)
    assert (picture[0, 0] == 255).all()
    assert np.abs(picture[32, 32].astype(int) - (255, 200, 0)).max() < 6
    assert fit.bounds((picture < 200).any(-1)) == (2, 62, 2, 62)


@pytest.mark.parametrize("dataset", ["mnist", "fashion", "emoji"])
@pytest.mark.parametrize("shade", [0, 255, 128])
def test_an_empty_picture_is_said_to_be_empty(dataset: str, shade: int) -> None:
    if dataset == "emoji" and shade != 255:
        return                                              # a square of one colour is a picture there
    with pytest.raises(BadInput, match="draw something"):
        fitted(np.full((100, 100), shade, np.uint8), dataset)


@pytest.mark.parametrize("dataset", ["mnist", "fashion", "emoji"])
def test_a_wholly_transparent_picture_is_said_to_be_empty(dataset: str) -> None:
    with pytest.raises(BadInput, match="draw something"):
        fitted(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), dataset)


def test_an_unknown_data_set_is_named() -> None:
    with pytest.raises(BadInput, match="cifar"):
        fitted(digit(), "cifar")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(4, 120), st.integers(4, 120), st.sampled_from(["L", "RGB", "RGBA", "P", "1", "LA"]),
       st.sampled_from(["mnist", "fashion", "emoji"]), st.integers(0, 2**31))
def test_any_picture_is_fitted_or_refused_with_a_sentence(width: int, height: int, mode: str, dataset: str,
                                                          seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    image = Image.fromarray(noise).convert("RGB" if mode in ("P", "1") else "RGBA").convert(mode)
    try:
        picture = fitted(image, dataset)
    except BadInput as fault:
        assert str(fault).endswith(".")
        return
    assert picture.dtype == np.uint8 and picture.shape == ((64, 64, 3) if dataset == "emoji" else (28, 28, 1))
