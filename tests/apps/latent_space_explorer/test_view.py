"""Frames into bytes and back, nothing lost."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from apps.latent_space_explorer import catalogue, view


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3), (3, 5, 1)])
def test_pixels_carry_every_byte(shape: tuple[int, int, int]) -> None:
    image = noise(*shape)
    sent = view.pixels(image)
    assert (sent["h"], sent["w"], sent["c"]) == shape
    assert base64.b64decode(sent["data"]) == image.tobytes()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_for_the_page_are_lossless(channels: int) -> None:
    image = noise(20, 30, channels)
    for body in (view.png(image), view.lossless(image)[0]):
        back = np.asarray(Image.open(io.BytesIO(body)).convert("L" if channels == 1 else "RGB")).reshape(image.shape)
        assert np.array_equal(back, image)


def test_a_sheet_holds_each_tile_where_it_belongs() -> None:
    images = noise(6, 4, 5, 1)
    sheet = view.sheet(images, rows=2, columns=3)
    assert sheet.shape == (8, 15, 1)
    for at in range(6):
        r, c = divmod(at, 3)
        assert np.array_equal(sheet[4 * r:4 * r + 4, 5 * c:5 * c + 5], images[at])


def test_a_strip_holds_the_pictures_below_each_other() -> None:
    images = noise(3, 4, 5, 3)
    assert np.array_equal(view.strip(images)[4:8], images[1])


def test_packed_codes_are_off_by_half_a_step_at_most() -> None:
    codes = np.random.default_rng(1).normal(0, 2, (500, 2)).astype(np.float32)
    step = catalogue.scale(codes)
    back = np.frombuffer(catalogue.packed(codes), "<i2").reshape(codes.shape) * step
    assert np.abs(back - codes).max() <= 0.5001 * step + 1e-6
