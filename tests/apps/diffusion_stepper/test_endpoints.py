"""The jobs by name, the curves and the door's picture."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from PIL import Image

from apps.diffusion_stepper import catalogue, endpoints, thumbnail, view
from engines import diffusion, runtime


@pytest.fixture(autouse=True)
def engine() -> None:
    runtime.configure(mode="thread")


def ask(function: Any, *args: Any) -> dict[str, Any]:
    return asyncio.run(function(*args, None))


def pixels(uri: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as opened:
        return np.asarray(opened)


def picture(index: int = 0) -> str:
    return view.data_uri(catalogue.shown("mnist").images[index])


def test_sample_is_the_engines_own() -> None:
    found = ask(endpoints.sample, {"label": 1, "steps": 6, "seed": 4, "count": 2}, 3)
    last = runtime.start(diffusion.sample, diffusion.Sample("ddpm-mnist", (1,), steps=6, seed=4, count=2)).result()
    assert [(pixels(each) == image[..., 0]).all() for each, image in zip(found["pictures"], last.x_0, strict=True)] == [True] * 2
    assert [step["index"] for step in found["steps"]] == [0, 3, 6] and pixels(found["steps"][0]["x_t"]).shape == (8, 16)


def test_dissolving_little_leaves_the_picture_and_much_leaves_none() -> None:
    found = ask(endpoints.dissolve, "ddpm-mnist", picture(), 0, 1)
    clean = pixels(found["clean"]).astype(int)
    assert np.abs(pixels(found["x_t"]) - clean).mean() < 4 and found["alpha_bar"] > 0.999
    lost = ask(endpoints.dissolve, "ddpm-mnist", picture(), 999, 1)
    assert np.abs(pixels(lost["x_t"]) - clean).mean() > 40


def test_inpainting_keeps_what_is_not_masked() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    settings = {"label": 1, "steps": 6}
    found = ask(endpoints.inpaint, settings, picture(), view.data_uri(mask[..., None]))
    clean = pixels(ask(endpoints.dissolve, "ddpm-mnist", picture(), 0, 0)["clean"])
    assert (pixels(found["pictures"][0])[:, :4] == clean[:, :4]).all()


def test_sdedit_from_next_to_nothing_is_the_picture() -> None:
    found = ask(endpoints.sdedit, {"label": 1, "steps": 6}, picture(), 0.0)
    clean = pixels(ask(endpoints.dissolve, "ddpm-mnist", picture(), 0, 0)["clean"]).astype(int)
    assert np.abs(pixels(found["pictures"][0]) - clean).max() <= 1


@pytest.mark.parametrize("function, args, words", [
    (endpoints.sample, ({"steps": 0}, 0), "1 to 1000"), (endpoints.sample, ("hello", 0), "settings must be"),
    (endpoints.dissolve, ("ddpm-mnist", "%%", 1, 1), "could not be read"), (endpoints.dissolve, ("ddpm-mnist", picture(), 1000, 1), "0 to 999"),
    (endpoints.sdedit, ({}, picture(), 2.0), "strength"), (endpoints.inpaint, ({}, picture(), "%%"), "mask"),
    (endpoints.inpaint, ({}, picture(), view.data_uri(np.zeros((8, 8, 1), np.uint8))), "empty"),
])
def test_what_cannot_be_done_is_told(function: Any, args: tuple, words: str) -> None:
    with pytest.raises(gr.Error, match=words):
        ask(function, *args)


def test_curves_are_three_schedules_in_three_charts(place: str) -> None:
    for dark in (False, True):
        found = httpx.get(f"{place}/schedules", params={"dark": dark}).json()
        assert [trace["name"] for trace in found["data"]] == ["linear", "cosine", "sigmoid"] * 3
        assert found["layout"]["xaxis"]["range"] == [999, 0]
    script = httpx.get(f"{place}/plotly.js")
    assert script.headers["content-encoding"] == "gzip" and b"Plotly" in script.content


def test_the_doors_picture_moves_unless_it_may_not() -> None:
    moving = Image.open(io.BytesIO(asyncio.run(thumbnail.make(still=False))))
    still = Image.open(io.BytesIO(asyncio.run(thumbnail.make(still=True))))
    assert moving.size == still.size == (320, 240)
    assert moving.n_frames == thumbnail.STEPS + 1 and getattr(still, "n_frames", 1) == 1
