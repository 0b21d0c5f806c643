"""The stream of a training: over real HTTP, because what matters is what happens when a page leaves."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.latent_space_explorer import curve, training
from engines import runtime, vae
from engines.runtime import BadInput
from tests.apps.latent_space_explorer import toy_training
from tests.apps.served import served


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server with nothing but the tool's routes, and an engine in a thread."""
    monkeypatch.setattr(vae, "train", toy_training.job)
    app = FastAPI()
    app.include_router(training.routes())
    with served(app) as address:
        yield address


def heard(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            yield kind, json.loads(line[6:])


def everything(place: str, **asked: Any) -> list[tuple[str, dict[str, Any]]]:
    with httpx.stream("POST", f"{place}/train", json={"session": "one", **asked}, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(heard(answer.iter_lines()))


def running() -> int:
    return runtime.state().running


def wait(condition: Any, seconds: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_training_arrives_from_its_first_frame_to_its_model(place: str) -> None:
    events = everything(place, latent=2, seed=1)
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "run" and kinds[-1] == "end" and "failed" not in kinds
    frames = [body for kind, body in events if kind == "frame"]
    assert frames[-1]["model"] == "trained/0123456789abcdef" and frames[-1]["fraction"] == 1
    steps = [frame["step"] for frame in frames]
    assert steps == sorted(set(steps))
    assert np.frombuffer(base64.b64decode(frames[0]["labels"]), np.uint8).tolist() == [n % 10 for n in range(50)]
    assert not any("labels" in frame for frame in frames[1:])
    codes = np.frombuffer(base64.b64decode(frames[-1]["xy"]), "<i2").reshape(-1, 2) * frames[-1]["unit"]
    assert np.allclose(codes, np.random.default_rng(1).standard_normal((50, 2)), atol=1e-3)


def test_frames_come_no_faster_than_they_can_be_seen(place: str) -> None:
    began = time.monotonic()
    frames = [body for kind, body in everything(place, seed=2) if kind == "frame"]
    assert len(frames) <= (time.monotonic() - began) * training.FRAMES_A_SECOND + 3


def test_a_page_that_leaves_ends_its_run_within_two_seconds(place: str) -> None:
    with httpx.stream("POST", f"{place}/train", json={"seed": 99}, timeout=30) as answer:
        for kind, _ in heard(answer.iter_lines()):
            if kind == "frame":
                break
        assert running() == 1
    assert wait(lambda: running() == 0, 2.0) < 2.0


def test_a_page_that_leaves_while_paused_ends_its_run_too(place: str) -> None:
    with httpx.stream("POST", f"{place}/train", json={"seed": 99}, timeout=30) as answer:
        name, events = "", heard(answer.iter_lines())       # held: an iterator that is dropped closes the answer
        for kind, body in events:
            name = body.get("id", name)
            if kind == "frame":
                break
        assert httpx.post(f"{place}/train/{name}/pause").json() == {"ok": True}
        time.sleep(0.3)
    wait(lambda: running() == 0, 2.5)


def test_pause_holds_the_run_and_resume_goes_on_from_there(place: str) -> None:
    with httpx.stream("POST", f"{place}/train", json={"seed": 99}, timeout=30) as answer:
        name, steps, resumed = "", [], 0.0
        for kind, body in heard(answer.iter_lines()):
            name = body.get("id", name)
            if kind == "status" and body["state"] == "paused" and not resumed:
                held = steps[-1] if steps else 0
                time.sleep(1.0)
                resumed = time.monotonic()
                httpx.post(f"{place}/train/{name}/resume")
            if kind == "frame":
                steps.append(body["step"])
                if len(steps) == 3:
                    httpx.post(f"{place}/train/{name}/pause")
                if resumed and body["step"] > held + 20:
                    break
        assert resumed and steps == sorted(set(steps))
        gap = max(b - a for a, b in zip(steps, steps[1:], strict=False))
        assert gap < 60, "a paused second would be about a hundred steps"


def test_stop_ends_with_the_plain_sentence_of_a_cancelled_run(place: str) -> None:
    with httpx.stream("POST", f"{place}/train", json={"seed": 99}, timeout=30) as answer:
        name, last = "", None
        for kind, body in heard(answer.iter_lines()):
            name = body.get("id", name)
            if kind == "frame":
                httpx.post(f"{place}/train/{name}/stop")
            last = (kind, body)
    assert last[0] == "failed" and last[1]["error"]
    gone = httpx.post(f"{place}/train/{name}/resume")
    assert gone.status_code == 409 and "ended" in gone.json()["error"]


def test_two_visitors_train_side_by_side(place: str) -> None:
    async def one(client: httpx.AsyncClient, session: str) -> list[float]:
        times = []
        async with client.stream("POST", f"{place}/train", json={"seed": 99, "session": session}) as answer:
            async for line in answer.aiter_lines():
                if line == "event: frame":
                    times.append(time.monotonic())
                if len(times) == 15:
                    return times
        return times

    async def both() -> list[list[float]]:
        async with httpx.AsyncClient(timeout=30) as client:
            return await asyncio.gather(one(client, "a"), one(client, "b"))

    a, b = asyncio.run(both())
    assert len(a) == len(b) == 15
    assert a[2] < b[-1] and b[2] < a[-1], "one waited for the other to finish"


def test_a_defect_in_the_engine_is_one_sentence_without_its_details(place: str) -> None:
    kind, body = everything(place, seed=13)[-1]
    assert kind == "failed" and "secret" not in body["error"] and body["error"].endswith(".")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"latent": 1}', b'{"latent": 2.5}', b'{"beta": "many"}',
                                  b'{"dataset": "cats"}', b'{"beta": NaN}', b'{"seed": -1}', b'{"seconds": 1e9}',
                                  b'{"latent": true}', b"x" * 5000])
def test_what_cannot_be_trained_is_refused_with_one_sentence(place: str, body: bytes) -> None:
    answer = httpx.post(f"{place}/train", content=body)
    assert answer.status_code == 400 and answer.json()["error"].strip()


def test_steering_takes_three_words(place: str) -> None:
    assert httpx.post(f"{place}/train/none/pause").status_code == 409


@settings(deadline=None)
@example({"latent": -2**63 - 1})
@example({"seed": 10**400})
@example({"beta": 10**400})
@example({"seconds": float("inf")})
@given(st.dictionaries(st.sampled_from([*training.CHOICES, "other"]),
                       st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
                       | st.lists(st.integers(), max_size=2)))
def test_any_request_becomes_parameters_or_a_sentence(asked: dict[str, Any]) -> None:
    try:
        assert isinstance(training.choices(asked), vae.Train)
    except BadInput as error:
        assert str(error)


@pytest.mark.parametrize(("text", "fine"), [("mnist-vae-2-1-0", True), ("fashion-ae-16-0.25-42", True),
                                            ("emoji-vae-2-1-0", False),
                                            ("mnist-vae-2-1-0-5", True), ("mnist-vae-2-1-0-999", False),
                                            ("mnist-vae-99-1-0", False), ("mnist-vae-2-1-99999999999", False),
                                            ("", False)])
def test_a_training_in_the_address_is_read_strictly(text: str, fine: bool) -> None:
    if fine:
        assert training.FIELDS["train"].read(text) == text
    else:
        with pytest.raises(BadInput):
            training.FIELDS["train"].read(text)


def test_places_survive_the_way_to_the_page() -> None:
    places = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32) * 7
    text, unit = training.packed(places)
    assert np.allclose(np.frombuffer(base64.b64decode(text), "<i2").reshape(-1, 2) * unit, places, atol=unit)


@pytest.mark.parametrize("dark", [False, True])
def test_the_curve_is_an_empty_figure_that_asks_nobody_outside(dark: bool) -> None:
    figure = curve.elbo_curve(dark)
    assert [trace["name"] for trace in figure["data"]] == ["−ELBO", "training", "reconstruction", "KL"]
    assert "http" not in json.dumps(figure)


def test_plotly_comes_from_the_package_compressed(place: str) -> None:
    answer = httpx.get(f"{place}/plotly.js")
    assert answer.headers["content-encoding"] == "gzip" and "Plotly" in answer.text[-400_000:]
