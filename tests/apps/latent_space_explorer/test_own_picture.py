"""The server's half of "Your picture", with small real models: what is asked, what comes back, what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.latent_space_explorer import own_picture, view
from apps.latent_space_explorer.codes import read
from apps.latent_space_explorer.neighbours import VOTERS, vote
from engines import data
from engines.runtime import BadInput
from gallery import limits
from tests.apps.latent_space_explorer.made import digit, drawing, encoded, png_claiming

TWO, MANY, PLAIN, WEAR, FACE = "small-2d", "small-8d", "small-ae", "small-fashion", "small-emoji"


@pytest.fixture(scope="module", autouse=True)
def shelf(shelf_of: Callable[..., Path]) -> Path:
    return shelf_of((TWO, "mnist", 2), (MANY, "mnist", 8), (PLAIN, "mnist", 2, "ae"), (WEAR, "fashion", 4), (FACE, "emoji", 5))


def ask(function: Any, **args: Any) -> dict[str, Any]:
    answer = asyncio.run(function({"session": "test", **args}))
    json.dumps(answer)                                       # what goes to the page must be plain
    return answer


def pixels(picture: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(picture["data"]), np.uint8).reshape(picture["h"], picture["w"], picture["c"])


def sent(image: np.ndarray) -> str:
    return base64.b64encode(encoded(image)).decode()


# --- a drawing -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", [TWO, MANY, PLAIN])
def test_a_drawing_is_fitted_encoded_and_given_back(model: str) -> None:
    found = ask(own_picture.own_drawing, model=model, picture=sent(drawing(index=3)))
    assert np.abs(pixels(found["picture"])[..., 0].astype(int) - digit(3)).mean() < 3
    space = read(model)
    assert len(found["mu"]) == len(found["logvar"]) == len(found["kl_nats"]) == space.d
    assert pixels(found["reconstruction"]).shape == (28, 28, 1)
    assert found["recon_nats"] > 0 and found["notes"]


def test_the_terms_of_the_loss_are_the_formulas(shelf: Path) -> None:
    found = ask(own_picture.own_drawing, model=MANY, picture=sent(digit(5)))
    mu, logvar = np.array(found["mu"]), np.array(found["logvar"])
    assert np.allclose(found["kl_nats"], 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar), atol=1e-4)


@pytest.mark.parametrize("model, dataset", [(TWO, "mnist"), (WEAR, "fashion"), (FACE, "emoji")])
def test_a_test_picture_stands_at_its_own_code(model: str, dataset: str) -> None:
    found = ask(own_picture.own_test, model=model, index=7)
    assert (pixels(found["picture"]) == data.load(dataset, "test").images[7]).all()
    assert np.allclose(found["mu"], read(model).mu[7], atol=0.02)
    assert found["around"]["nearest"][0] == 7 and found["index"] == 7 and found["title"]


def test_any_test_picture_is_taken_for_a_negative_number() -> None:
    taken = {ask(own_picture.own_test, model=TWO, index=-1)["index"] for _ in range(6)}
    assert len(taken) > 1 and all(0 <= index < 300 for index in taken)


def test_the_fitted_picture_can_be_asked_of_another_model_of_the_same_data() -> None:
    first = ask(own_picture.own_drawing, model=TWO, picture=sent(drawing(index=2)))
    second = ask(own_picture.own_encoded, model=MANY, picture=first["picture"])
    assert second["picture"] == first["picture"] and len(second["mu"]) == 8


def test_a_picture_of_the_wrong_size_is_refused() -> None:
    picture = ask(own_picture.own_test, model=TWO, index=0)["picture"]
    assert "28 × 28" in ask(own_picture.own_encoded, model=FACE, picture=picture)["error"]


# --- sample again ----------------------------------------------------------------------------------------------------

def test_sample_again_is_the_seed_s_and_lies_within_the_ellipse() -> None:
    found = ask(own_picture.own_test, model=MANY, index=1)
    first = ask(own_picture.own_again, model=MANY, picture=found["picture"], seed=7)
    assert first == ask(own_picture.own_again, model=MANY, picture=found["picture"], seed=7)
    other = ask(own_picture.own_again, model=MANY, picture=found["picture"], seed=8)
    assert first["z"] != other["z"]
    eps = (np.array(first["z"] + other["z"]) - found["mu"]) / np.exp(np.array(found["logvar"]) / 2)
    assert first["sheet"]["n"] == len(first["recon_nats"]) == own_picture.DRAWS
    assert abs(eps.mean()) < 4 / math.sqrt(eps.size) and 0.8 < eps.std() < 1.2


def test_wider_draws_lie_farther_out_along_the_same_eps() -> None:
    found = ask(own_picture.own_test, model=MANY, index=1)
    asked = {"model": MANY, "picture": found["picture"], "seed": 7}
    one, four = ask(own_picture.own_again, **asked), ask(own_picture.own_again, **asked, wider=4)
    mu, sigma = np.array(found["mu"]), np.exp(np.array(found["logvar"]) / 2)
    assert np.allclose(np.array(four["z"]) - mu, 4 * (np.array(one["z"]) - mu), atol=1e-4)
    assert np.allclose(four["far"], np.linalg.norm((np.array(four["z"]) - mu) / sigma, axis=1), rtol=1e-3)
    assert four["recon_nats"] is None and four["sheet"]["src"] != one["sheet"]["src"]


@pytest.mark.parametrize("wider", [0, 0.99, 6.01, 1e9, -1, math.nan, "2", None, True])
def test_a_wrong_factor_of_sigma_is_refused(wider: Any) -> None:
    picture = ask(own_picture.own_test, model=TWO, index=0)["picture"]
    answer = asyncio.run(own_picture.own_again({"model": TWO, "picture": picture, "seed": 1, "wider": wider}))
    assert "1 to 6" in answer["error"]


def test_a_plain_autoencoder_draws_the_same_point_every_time() -> None:
    found = ask(own_picture.own_test, model=PLAIN, index=1)
    z = np.array(ask(own_picture.own_again, model=PLAIN, picture=found["picture"], seed=3)["z"])
    assert np.abs(z - found["mu"]).max() < 1e-3


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "7", None, True, math.nan])
def test_a_wrong_seed_is_refused(seed: Any) -> None:
    picture = ask(own_picture.own_test, model=TWO, index=0)["picture"]
    answer = asyncio.run(own_picture.own_again({"model": TWO, "picture": picture, "seed": seed}))
    assert "seed" in answer["error"].lower()


# --- what is wrong ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("args, told", [
    ({"picture": ""}, "empty"),
    ({"picture": None}, "empty"),
    ({"picture": 17}, "empty"),
    ({"picture": "###"}, "damaged"),
    ({"picture": sent(np.zeros((60, 60), np.uint8))}, "draw something"),
    ({"picture": base64.b64encode(png_claiming(8000, 5000)).decode()}, "megapixels"),
    ({"picture": sent(digit()), "model": "nonsense"}, "no autoencoder named"),
    ({"picture": sent(digit()), "model": "../../etc"}, "no autoencoder named"),
    ({"picture": sent(digit()), "model": None}, "no autoencoder named"),
])
def test_bad_drawings_get_one_sentence(args: dict[str, Any], told: str) -> None:
    answer = asyncio.run(own_picture.own_drawing({"model": TWO, **args}))
    assert set(answer) == {"error"} and told in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize("picture", [None, {}, "x", {"w": 28, "h": 28, "c": 1, "data": "AA=="},
                                     {"w": 1e9, "h": 1, "c": 1, "data": ""}, {"w": "a", "h": 1, "c": 1, "data": ""},
                                     {"w": 28, "h": 28, "c": 1, "data": 5}])
def test_damaged_raw_pictures_get_one_sentence(picture: Any) -> None:
    for function in (own_picture.own_encoded, own_picture.own_again):
        assert "error" in asyncio.run(function({"model": TWO, "picture": picture}))


@pytest.mark.parametrize("index", [300, 10**9, 1.5, "a", None, True])
def test_a_test_picture_that_is_not_there_is_told(index: Any) -> None:
    assert "0 to 299" in asyncio.run(own_picture.own_test({"model": TWO, "index": index}))["error"]


@pytest.mark.parametrize("request_", [None, [], "x", 5])
def test_a_question_in_another_form_is_answered(request_: Any) -> None:
    for function in own_picture.server_functions():
        assert "error" in asyncio.run(function(request_))


def test_limits_are_told_before_and_after() -> None:
    told = asyncio.run(own_picture.own_limits({}))
    assert told["bytes"] == limits.UPLOAD_BYTES and "megapixels" in told["sentence"]
    refusal = asyncio.run(own_picture.own_refusal({"name": "<b>x</b>.jpg", "size": 5 * 10**7}))["error"]
    assert "50.0 MB" in refusal and refusal.startswith("<b>x</b>.jpg")


# --- the address -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", ["d.IAhQPHgopTygZHh9pYyvuYLXUMM", "t.0", "t.9999"])
def test_the_address_holds_a_drawing_or_a_number(text: str) -> None:
    assert own_picture.FIELDS["own"].read(text) == text


@pytest.mark.parametrize("text", ["d.", "t.", "t.-1", "t.1234567", "x.1", "d.<b>", "t.1 ", "d." + "A" * 3000,
                                  "<script>"])
def test_the_address_refuses_the_rest(text: str) -> None:
    with pytest.raises(BadInput):
        own_picture.FIELDS["own"].read(text)


@given(st.text(max_size=60))
def test_any_text_in_the_address_is_read_or_refused(text: str) -> None:
    for field in own_picture.FIELDS.values():
        try:
            field.read(text)
        except BadInput as fault:
            assert str(fault).endswith(".")


# --- an upload over HTTP ---------------------------------------------------------------------------------------------

def post(body: Any, **query: str) -> httpx.Response:
    async def over_http() -> httpx.Response:
        app = FastAPI()
        app.include_router(own_picture.routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/own-picture", params={"model": TWO, "name": "photo.png", **query}, content=body)
    return asyncio.run(over_http())


def test_an_upload_is_answered_like_a_drawing() -> None:
    answer = post(encoded(drawing(index=6), "JPEG", quality=95)).json()
    assert answer["around"]["of"] == VOTERS and len(answer["mu"]) == 2 and "error" not in answer


@pytest.mark.parametrize("model, shape", [(WEAR, (28, 28, 1)), (FACE, (64, 64, 3))])
def test_an_upload_is_fitted_to_the_data_of_the_model(model: str, shape: tuple[int, int, int]) -> None:
    red = np.full((90, 120, 3), 255, np.uint8)
    red[20:70, 30:90] = (200, 20, 30)
    assert pixels(post(encoded(red), model=model).json()["picture"]).shape == shape


@pytest.mark.parametrize("body, told", [(b"", "0 bytes"), (b"<svg></svg>", "SVG"), (b"hello", "not a picture"),
                                        (png_claiming(8000, 5000), "40 megapixels")])
def test_an_upload_that_is_refused_is_still_an_answer(body: bytes, told: str) -> None:
    answer = post(body)
    assert answer.status_code == 200 and told in answer.json()["error"]


def test_an_endless_upload_is_cut_off() -> None:
    taken = 0

    async def endless() -> Any:
        nonlocal taken
        for _ in range(200):
            taken += 2**20
            yield b"\0" * 2**20
    assert "MB" in post(endless()).json()["error"]
    assert taken <= limits.UPLOAD_BYTES + 2**21


# --- neighbours and programs -----------------------------------------------------------------------------------------

def test_the_vote_is_that_of_the_nearest_codes() -> None:
    space = read(MANY)
    z = np.random.default_rng(0).normal(size=(90, 8)).astype(np.float32) * 2
    found = vote(space, z)
    labels = data.load("mnist", "test").labels
    for i, point in enumerate(z):
        order = np.argsort(((space.mu - point) ** 2).sum(1), kind="stable")[:VOTERS]
        assert set(found.nearest[i]) == set(order)
        counts = np.bincount(labels[order], minlength=10)
        assert counts[found.label[i]] == counts.max() == found.votes[i]


def test_programs_may_send_a_data_uri() -> None:
    class Caller:
        client = None
    picture = view.data_uri(digit(2)[..., None])
    found = asyncio.run(own_picture.own_picture(MANY, picture, Caller()))
    assert found["seen"].startswith("data:image/png;base64,") and len(found["mu"]) == 8


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60))
def test_any_drawing_s_bytes_are_answered(data_: bytes) -> None:
    answer = asyncio.run(own_picture.own_drawing({"model": TWO, "picture": base64.b64encode(data_).decode()}))
    assert "error" in answer
