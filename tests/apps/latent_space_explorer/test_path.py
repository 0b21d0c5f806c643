"""A walk from pin to pin, with small real models: its pictures, its stops, and the files made of it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from apps.latent_space_explorer import film, path
from apps.latent_space_explorer.codes import read
from engines import runtime, vae
from engines.runtime import BadInput

TWO, MANY, FACE = "small-2d", "small-8d", "small-emoji"


@pytest.fixture(scope="module", autouse=True)
def shelf(shelf_of: Callable[..., Path]) -> Path:
    return shelf_of((TWO, "mnist", 2), (MANY, "mnist", 8), (FACE, "emoji", 5))


def ask(function: Any, **args: Any) -> dict[str, Any]:
    answer = asyncio.run(function({"session": "test", **args}))
    json.dumps(answer)
    return answer


def opened(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data)))


def cut(sheet: dict[str, Any]) -> np.ndarray:
    """The pictures of a sheet, as the page cuts them: uint8 (n, h, w, C)."""
    whole = np.asarray(opened(sheet["src"].split(",", 1)[1]))
    whole = whole[..., None] if whole.ndim == 2 else whole
    w, h, columns = sheet["w"], sheet["h"], sheet["columns"]
    places = [(i // columns * h, i % columns * w) for i in range(sheet["n"])]
    return np.stack([whole[top:top + h, left:left + w] for top, left in places])


def points(model: str, *indices: int) -> list[list[float]]:
    return read(model).mu[list(indices)].tolist()


def decoded(model: str, z: list[list[float]]) -> np.ndarray:
    params = vae.Decode(model, tuple(tuple(each) for each in z))
    return asyncio.run(_result(params))


async def _result(params: vae.Decode) -> np.ndarray:
    return (await runtime.start(vae.decode, params, session="test").aresult()).images


# --- the walk --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", [TWO, MANY, FACE])
@pytest.mark.parametrize("way", ["line", "circle"])
def test_a_walk_leads_from_pin_to_pin_through_real_pictures(model: str, way: str) -> None:
    pins = points(model, 3, 17, 40)
    walk = ask(path.path_walk, model=model, points=pins, steps=12, way=way)
    assert len(walk["z"]) == walk["sheet"]["n"] == len(walk["labels"]) == len(walk["votes"]) == 13
    for stop, pin in zip(walk["stops"], pins, strict=True):
        assert np.allclose(walk["z"][stop], pin, atol=1e-5)
    frames = cut(walk["sheet"]).astype(int)
    assert np.abs(frames - decoded(model, walk["z"]).astype(int)).max() <= 1


def test_a_straight_line_is_evenly_stepped_and_a_great_circle_keeps_the_radius() -> None:
    a, b = [3.0, 0, 0, 0, 0, 0, 0, 0], [0, 3.0, 0, 0, 0, 0, 0, 0]
    line = np.array(ask(path.path_walk, model=MANY, points=[a, b], steps=21, way="line")["z"])
    circle = np.array(ask(path.path_walk, model=MANY, points=[a, b], steps=21, way="circle")["z"])
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    assert np.allclose(steps, steps[0], rtol=1e-4) and np.linalg.norm(line, axis=1).min() < 2.2
    assert np.allclose(np.linalg.norm(circle, axis=1), 3, rtol=1e-4)


@given(st.integers(path.FEWEST, vae.MAX_STEPS), st.integers(2, 16))
def test_every_stretch_is_equally_long_and_every_pin_is_a_picture(steps: int, count: int) -> None:
    whole = path.whole_stretches(steps, count)
    assert (whole - 1) % (count - 1) == 0 and count <= whole <= vae.MAX_STEPS
    assert whole >= steps or whole + count - 1 > vae.MAX_STEPS


@pytest.mark.parametrize("args, told", [
    ({"points": []}, "has 0"),
    ({"points": [[0, 0]]}, "has 1"),
    ({"points": None}, "has 0"),
    ({"points": [[0, 0]] * 17}, "17 pins"),
    ({"points": [[0, 0], [0, 0, 0]]}, "3 numbers"),
    ({"points": [[0, 0], "ab"]}, "numbers"),
    ({"points": [[0, 0], [math.nan, 0]]}, "nan"),
    ({"points": [[0, 0], [1e9, 0]]}, "1e+09"),
    ({"steps": 1000}, "steps"), ({"steps": 1}, "steps"), ({"steps": "x"}, "steps"), ({"steps": math.nan}, "steps"),
    ({"way": "zigzag"}, "way"), ({"model": "nonsense"}, "no autoencoder named"),
])
def test_a_wrong_walk_gets_one_sentence(args: dict[str, Any], told: str) -> None:
    for function in path.server_functions():
        answer = asyncio.run(function({"model": TWO, "points": [[0, 0], [1, 1]], "steps": 8, "way": "line", **args}))
        assert set(answer) == {"error"} and told in answer["error"] and "\n" not in answer["error"]


@given(st.text(max_size=30))
def test_any_text_in_the_address_is_read_or_refused(text: str) -> None:
    for field in path.FIELDS.values():
        try:
            field.read(text)
        except BadInput as fault:
            assert str(fault).endswith(".")


# --- files to keep ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("loop, frames", [("bounce", 16), ("again", 9)])
def test_the_gif_is_the_model_s_own_pictures_enlarged_and_endless(loop: str, frames: int) -> None:
    pins = points(TWO, 0, 9)
    file = ask(path.path_gif, model=TWO, points=pins, steps=9, way="line", speed=20, loop=loop)
    assert file["type"] == "image/gif" and file["name"].endswith(".gif")
    animation = opened(file["data"])
    walk = ask(path.path_walk, model=TWO, points=pins, steps=9, way="line")
    order = [*range(9), *range(7, 0, -1)][:frames]
    shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(animation)]
    assert len(shown) == frames and animation.info["loop"] == 0 and animation.info["duration"] == 50
    factor = film.GIF_SIDE // 28
    for image, index in zip(shown, order, strict=True):
        assert (image == np.kron(cut(walk["sheet"])[index, :, :, 0], np.ones((factor, factor), np.uint8))).all()


def test_the_gif_of_a_colour_model_keeps_its_colours_nearly() -> None:
    pins = points(FACE, 3, 30)
    file = ask(path.path_gif, model=FACE, points=pins, steps=6, way="circle", speed=10, loop="again")
    walk = ask(path.path_walk, model=FACE, points=pins, steps=6, way="circle")
    for i, frame in enumerate(ImageSequence.Iterator(opened(file["data"]))):
        image = np.asarray(frame.convert("RGB"))[::4, ::4].astype(int)
        assert image.shape == (64, 64, 3) and np.abs(image - cut(walk["sheet"])[i]).mean() < 6


def test_the_film_strip_holds_every_picture_in_order() -> None:
    file = ask(path.path_strip, model=TWO, points=points(TWO, 0, 9), steps=15, way="line")
    picture = opened(file["data"])
    factor, cell = film.STRIP_SIDE // 28, 28 + film.GAP
    assert picture.size == ((12 * cell + film.GAP) * factor, (2 * cell + film.GAP) * factor)
    assert TWO in picture.text["Description"] and "15 pictures" in picture.text["Description"]
    small = np.asarray(picture)[::factor, ::factor]
    frames = cut(ask(path.path_walk, model=TWO, points=points(TWO, 0, 9), steps=15, way="line")["sheet"])
    for i, frame in enumerate(frames):
        top, left = i // 12 * cell + film.GAP, i % 12 * cell + film.GAP
        assert (small[top:top + 28, left:left + 28] == frame[..., 0]).all()


def test_a_strip_too_long_to_print_is_refused() -> None:
    answer = asyncio.run(path.path_strip({"model": TWO, "points": [[0, 0], [1, 1]], "steps": 200, "way": "line"}))
    assert "96" in answer["error"]


@pytest.mark.parametrize("speed", [0, 51, "x", math.inf])
def test_a_wrong_speed_is_refused(speed: Any) -> None:
    asked = {"model": TWO, "points": [[0, 0], [1, 1]], "steps": 8, "way": "line", "speed": speed}
    answer = asyncio.run(path.path_gif(asked))
    assert "speed" in answer["error"]


def test_programs_get_the_gif_by_name() -> None:
    class Caller:
        client = None
    file = asyncio.run(path.path_as_gif(MANY, points(MANY, 1, 2), 8, "circle", 12, Caller()))
    assert opened(file["data"]).n_frames == 14
