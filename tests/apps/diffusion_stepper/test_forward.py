"""Pictures on their way into the noise, and the rows of outcomes."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from apps.diffusion_stepper import branch, catalogue, forward
from engines.runtime import BadInput
from gallery import limits


def asked(place: str, path: str, **body: Any) -> dict[str, Any]:
    return httpx.post(f"{place}/{path}", json={"model": "ddpm-mnist", "session": "one", **body}, timeout=60).json()


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def pixels(given: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(given["data"]), np.uint8).reshape(given["h"], given["w"], given["c"])


def drawing() -> np.ndarray:
    image = np.zeros((64, 64), np.uint8)
    image[10:54, 28:36] = 255
    return image


def test_a_test_picture_comes_as_the_model_would_know_it_with_its_noise(place: str) -> None:
    found = asked(place, "picture", index=3, seed=5)
    assert found["index"] == 3 and (pixels(found["picture"]) == catalogue.picture("ddpm-mnist", 3)).all()
    eps = np.frombuffer(base64.b64decode(found["eps"]), "<f4")
    assert eps.size == 64 and 0.7 < eps.std() < 1.3
    assert found["eps"] == asked(place, "picture", index=4, seed=5)["eps"], "the noise is the seed's, whatever the picture"
    assert found["eps"] != asked(place, "picture", index=3, seed=6)["eps"]


def test_the_number_of_another_models_picture_finds_one_of_this_models(place: str) -> None:
    count = len(catalogue.shown("mnist").images)
    assert asked(place, "picture", index=count + 7, other=True)["index"] == 7
    assert asked(place, "picture", index=7, other=True)["index"] == 7


def test_any_picture_will_do(place: str) -> None:
    assert 0 <= asked(place, "picture", index=-1)["index"] < 10_000


def test_a_drawing_and_a_file_are_fitted(place: str) -> None:
    drawn = asked(place, "picture", drawing=base64.b64encode(png(drawing())).decode())
    assert drawn["notes"] and pixels(drawn["picture"]).max() > 100
    sent = httpx.post(f"{place}/upload", params={"model": "ddpm-mnist", "name": "one.png"}, content=png(drawing())).json()
    assert sent["picture"] == drawn["picture"]


@pytest.mark.parametrize("body, name, words", [
    (b"just text", "text.png", "not a picture"), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "SVG"),
    (b"", "empty.png", "0 bytes"), (png(np.zeros((8, 8), np.uint8)), "black.png", "empty"),
    (png(np.zeros((6400, 6400), np.uint8)), "large.png", "41 megapixels"), (png(drawing())[:60], "cut.png", "damaged"),
], ids=["text", "svg", "nothing", "black", "41 megapixels", "cut short"])
def test_what_is_no_picture_is_told(place: str, body: bytes, name: str, words: str) -> None:
    answer = httpx.post(f"{place}/upload", params={"model": "ddpm-mnist", "name": name}, content=body, timeout=60)
    assert answer.status_code == 400 and words in answer.json()["error"]


def test_a_file_too_heavy_is_not_kept(place: str) -> None:
    answer = httpx.post(f"{place}/upload", params={"model": "ddpm-mnist"}, content=b"x" * (limits.UPLOAD_BYTES + 1), timeout=60)
    assert answer.status_code == 400 and "MB" in answer.json()["error"]


@pytest.mark.parametrize("body, words", [
    ({"index": 10_000}, "test picture"), ({"index": "three"}, "whole"), ({"drawing": "%%"}, "damaged"),
    ({"index": 1, "seed": -1}, "the seed"), ({"index": 1, "model": "nobody"}, "nobody"),
])
def test_what_cannot_be_had_is_told(place: str, body: dict[str, Any], words: str) -> None:
    assert words in asked(place, "picture", **body)["error"]


def test_a_picture_is_brought_back_from_each_level(place: str) -> None:
    image = asked(place, "picture", index=0)["picture"]
    answer = httpx.post(f"{place}/backs", json={"model": "ddpm-mnist", "steps": 8, "picture": image, "places": [0, 500, 999]}, timeout=60)
    lines = {line["place"]: line for line in map(json.loads, answer.text.splitlines())}
    assert set(lines) == {0, 500, 999} and all(line["verdicts"] == [] for line in lines.values())
    near, far = (np.abs(pixels(lines[t]["pictures"][0]).astype(int) - pixels(image)).mean() for t in (0, 999))
    assert near < far, "the farther into the noise, the less is left"


def test_a_change_at_every_step(place: str) -> None:
    from tests.apps.diffusion_stepper.test_runs import everything
    about, steps, _ = everything(place, label=0, steps=8, seed=2, count=2)
    answer = httpx.post(f"{place}/outcomes", json={"parent": about["token"], "places": [0, 4, 8], "label": 1}, timeout=60)
    lines = {line["place"]: line for line in map(json.loads, answer.text.splitlines())}
    assert set(lines) == {0, 4, 8} and all(len(line["pictures"]) == 2 for line in lines.values())
    ended = np.frombuffer(steps[-1][4][:64], np.uint8)
    assert (pixels(lines[8]["pictures"][0]).ravel() == ended).all(), "a change after the last step changes nothing"
    assert (pixels(lines[0]["pictures"][0]).ravel() != ended).any()


@pytest.mark.parametrize("places", [[], list(range(13)), [9], ["x"], None])
def test_outcomes_of_too_many_or_no_steps_are_refused(place: str, places: Any) -> None:
    from tests.apps.diffusion_stepper.test_runs import everything
    about, *_ = everything(place, label=0, steps=4)
    assert httpx.post(f"{place}/outcomes", json={"parent": about["token"], "places": places}).status_code == 400


def test_levels_are_those_of_the_three_schedules(place: str) -> None:
    found = httpx.get(f"{place}/levels").json()
    assert set(found) == {"linear", "cosine", "sigmoid"}
    assert all(len(row) == 1000 and row[0] > 0.99 > 0.02 > row[-1] for row in found.values())


def test_without_a_classifier_there_is_no_verdict(place: str) -> None:
    image = asked(place, "picture", index=0)["picture"]
    assert asked(place, "judge", pictures=[image]) == {"verdicts": []}


@pytest.mark.parametrize("text, found", [("label:3", {"label": 3}), ("label:none,guidance:4.5", {"label": -1, "guidance": 4.5}),
                                         ("sampler:ddpm,seed:9", {"sampler": "ddpm", "seed": 9})])
def test_what_changes_is_read(text: str, found: dict[str, Any]) -> None:
    assert branch.FIELDS["then"].read(text) == found


@pytest.mark.parametrize("key, text", [("then", "label"), ("then", "steps:4"), ("then", "guidance:nan"), ("then", "9" * 1000)])
def test_what_cannot_change_is_refused(key: str, text: str) -> None:
    with pytest.raises(BadInput):
        branch.FIELDS[key].read(text)


@pytest.mark.parametrize("key, text", [("pic", "x.1"), ("pic", "d." + "A" * 3000), ("t", "1000"), ("mask", "<b>"), ("way", "up")])
def test_fields_of_the_way_forward_are_strict(key: str, text: str) -> None:
    with pytest.raises(BadInput):
        forward.FIELDS[key].read(text)


def test_smaller_pictures_are_laid_in_black_and_larger_ones_averaged() -> None:
    grey = np.full((28, 28, 1), 200, np.uint8)
    laid = catalogue.sized(grey, [32, 32, 1])
    assert laid.shape == (32, 32, 1) and laid[:2].max() == 0 and (laid[2:30, 2:30] == 200).all()
    assert (catalogue.sized(np.full((64, 64, 3), 90, np.uint8), [32, 32, 3]) == 90).all()
