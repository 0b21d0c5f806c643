"""The stream of a run: over real HTTP, because what matters is what happens when a page leaves or an engine dies."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import numpy as np
import pytest

from apps.diffusion_stepper import orders, wire
from apps.diffusion_stepper.tapes import tapes
from engines import diffusion, runtime
from engines.runtime import EngineLost
from gallery import streams


def everything(place: str, **asked: Any) -> tuple[dict[str, Any], list[tuple], list[dict[str, Any]]]:
    """The run's own words first, its steps, what was said after."""
    answer = httpx.post(f"{place}/run", json={"session": "one", **asked}, timeout=60)
    assert answer.status_code == 200, answer.text
    records = streams.read(answer.content)
    said = [json.loads(body) for kind, body in records if kind == streams.TOLD]
    return said[0], [wire.read_step(body) for kind, body in records if kind == streams.FRAME], said[1:]


def refused(place: str, **asked: Any) -> str:
    answer = httpx.post(f"{place}/run", content=json.dumps(asked), timeout=60)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


def direct(**settings: Any) -> list[diffusion.Step]:
    return list(runtime.start(diffusion.sample, diffusion.Sample("ddpm-mnist", **settings)))


def pictures(frame: diffusion.Step) -> bytes:
    return b"".join(each.tobytes() for each in (frame.x_t, frame.eps, frame.x_0, frame.with_label, frame.without_label))


def test_every_step_arrives_as_the_engine_made_it(place: str) -> None:
    about, steps, said = everything(place, label=1, steps=12, count=4, seed=3, sampler="ddpm", guidance=2)
    assert said[-1]["event"] == "end"
    assert (about["steps"], about["count"], about["h"], about["w"], about["c"]) == (12, 4, 8, 8, 1)
    frames = direct(labels=(1,), steps=12, count=4, seed=3, sampler="ddpm", guidance=2.0)
    assert [step[0] for step in steps] == list(range(13))
    for (_, t, alpha_bar, _, shown), frame in zip(steps, frames, strict=True):
        assert t == frame.t and alpha_bar == pytest.approx(frame.alpha_bar) and shown == pictures(frame)


def test_one_of_each_class(place: str) -> None:
    about, *_ = everything(place, label="each", steps=2, count=5)
    assert about["labels"] == [0, 1, 2, 0, 1]
    assert orders.labels("each", "ddpm-mnist", 2) == (0, 1), "from the first on, as far apart as may be"


@pytest.mark.parametrize("sampler, eta", [("ddpm", 0), ("ddim", 0), ("ddim", 1), ("dpm++", 0), ("euler", 0)])
def test_a_run_goes_on_from_any_step_as_if_it_had_not_stopped(place: str, sampler: str, eta: float) -> None:
    about, whole, _ = everything(place, label=2, steps=10, seed=5, sampler=sampler, eta=eta)
    _, rest, said = everything(place, token=about["token"], index=4)
    assert said[-1]["event"] == "end"
    assert [step[0] for step in rest] == list(range(4, 11))
    ends = [np.frombuffer(steps[-1][4], np.uint8).astype(int) for steps in (whole, rest)]
    assert np.abs(ends[0] - ends[1]).max() <= 1


def test_a_branch_shares_its_past_and_not_its_future(place: str) -> None:
    about, whole, _ = everything(place, label=0, steps=10, seed=5)
    branched, rest, _ = everything(place, parent=about["token"], index=5, label=1, guidance=6)
    assert branched["token"] != about["token"] and branched["labels"] == [1]
    size = 64
    assert rest[0][0] == 5 and rest[0][4][:size] == whole[5][4][:size]
    assert rest[-1][4][:size] != whole[-1][4][:size]


def test_a_branch_with_new_noise_needs_a_sampler_that_draws_some(place: str) -> None:
    about, whole, _ = everything(place, label=0, steps=10, seed=5, sampler="ddpm")
    _, rest, _ = everything(place, parent=about["token"], index=5, seed=6)
    assert rest[0][4][:64] == whole[5][4][:64] and rest[-1][4][:64] != whole[-1][4][:64]


def test_a_forgotten_run_is_told_in_a_sentence(place: str) -> None:
    for asked in ({"token": "nobody", "index": 1}, {"parent": "nobody", "index": 1}):
        answer = httpx.post(f"{place}/run", json=asked)
        assert answer.status_code == 410 and answer.json()["gone"] and "from the start" in answer.json()["error"]


@pytest.mark.parametrize("asked, words", [
    ({"steps": 0}, "1 to 1000"), ({"steps": -1}, "1 to 1000"), ({"steps": 1001}, "1 to 1000"), ({"steps": 10.5}, "whole"),
    ({"seed": 10**30}, "the seed is 1e+30"), ({"guidance": float("nan")}, "guidance is nan"), ({"guidance": None}, "guidance"),
    ({"label": 7}, "the class is 7"), ({"label": [1]}, "the class"), ({"count": 17}, "1 to 16"), ({"count": "many"}, "whole"),
    ({"model": "nobody"}, "nobody"), ({"sampler": "magic"}, "magic"), ({"schedule": 3}, "schedule"),
    ({"picture": {"w": 8, "h": 8, "c": 1, "data": "!!"}}, "damaged"),
    ({"picture": {"w": 4, "h": 4, "c": 1, "data": "AAAAAAAAAAAAAAAAAAAAAA=="}}, "4 × 4"),
])
def test_what_cannot_be_run_is_told_in_a_sentence(place: str, asked: dict[str, Any], words: str) -> None:
    assert words in refused(place, **asked)


def test_a_request_that_is_no_request(place: str) -> None:
    for body in (b"", b"[]", b"{", b"[" * 10_000):
        assert "reload" in httpx.post(f"{place}/run", content=body).json()["error"]
    assert "512 kB" in httpx.post(f"{place}/run", content=b" " * 600_000).json()["error"]


def test_a_page_that_leaves_ends_its_run_within_two_seconds(place: str) -> None:
    with httpx.stream("POST", f"{place}/run", json={"steps": 1000, "count": 16, "sampler": "ddpm"}, timeout=60) as answer:
        chunks = answer.iter_raw()
        for _ in range(3):
            next(chunks)
        assert runtime.state().running == 1
    began = time.monotonic()
    while runtime.state().running:
        assert time.monotonic() - began < 2
        time.sleep(0.02)


def test_an_engine_that_dies_leaves_the_steps_so_far_and_a_way_on(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying:
        """A run whose engine is lost after a few steps."""

        cancel = staticmethod(lambda: None)
        status = property(lambda self: self.run.status)

        def __init__(self, run: Any) -> None:
            self.run = run

        async def __aiter__(self):
            async for frame in self.run:
                if frame.index == 6:
                    raise EngineLost("The engine ended; a new one is starting.")
                yield frame

    start = runtime.start
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "start", lambda *args, **named: Dying(start(*args, **named)))
        about, steps, said = everything(place, label=1, steps=20, seed=9)
    assert said[-1] == {"event": "failed", "error": "The engine ended; a new one is starting.", "lost": True, "index": 5}
    assert [step[0] for step in steps] == list(range(6))
    _, rest, _ = everything(place, token=about["token"], index=5)
    whole = direct(labels=(1,), steps=20, seed=9)
    assert rest[-1][0] == 20
    assert np.abs(np.frombuffer(rest[-1][4][:64], np.uint8).astype(int) - whole[-1].x_t.ravel()).max() <= 1
    assert tapes().get(about["token"]).newest == 20


def test_a_picture_is_brought_back_and_a_mask_keeps_the_rest(place: str) -> None:
    import base64
    image = (np.arange(64, dtype=np.uint8) * 4).reshape(8, 8, 1)
    given = {"w": 8, "h": 8, "c": 1, "data": base64.b64encode(image.tobytes()).decode()}
    _, back, _ = everything(place, label=1, steps=10, picture=given, strength=0.5)
    assert back[0][0] == 5 and back[-1][0] == 10
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 1
    _, painted, _ = everything(place, label=1, steps=10, picture=given, mask=base64.b64encode(mask.tobytes()).decode())
    kept = np.frombuffer(painted[-1][4][:64], np.uint8).reshape(8, 8)
    assert (kept[:, :4] == image[:, :4, 0]).all() and (kept[:, 4:] != image[:, 4:, 0]).any()
    empty = base64.b64encode(np.zeros(64, np.uint8).tobytes()).decode()
    assert "mask is empty" in refused(place, steps=10, picture=given, mask=empty)
