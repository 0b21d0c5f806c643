"""In two dimensions, over HTTP: a shape, a training that is watched, and what can be asked of what was trained."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from apps.diffusion_stepper import plane as tool
from apps.diffusion_stepper import state
from engines import runtime
from engines.diffusion import plane
from engines.runtime import BadInput, models, trained

LINE = [[x / 50, x / 80] for x in range(-50, 50)]


@pytest.fixture(autouse=True)
def short(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of thirty steps, kept in a folder of their own."""
    whole = plane.Train
    monkeypatch.setenv(trained.FOLDER, str(tmp_path))
    monkeypatch.setattr(tool, "STEPS", 20)
    monkeypatch.setattr(plane.Train, "__init__", _shortened(whole.__init__))


def _shortened(init: Any) -> Any:
    def made(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **{"steps": 30, **named})
    return made


def asked(place: str, path: str, **body: Any) -> dict[str, Any]:
    return httpx.post(f"{place}/plane/{path}", json={"session": "one", **body}, timeout=60).json()


def values(given: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(given["data"]), "<i2").reshape(given["shape"]) * given["unit"]


def heard(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            yield kind, json.loads(line[6:])


def watched(place: str, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    with httpx.stream("POST", f"{place}/plane/train", json={"session": "one", **body}, timeout=60) as answer:
        return list(heard(answer.iter_lines()))


def test_a_shape_comes_with_its_way_to_noise(place: str) -> None:
    found = asked(place, "shape", shape="gaussians", seed=3)
    x_0, forward = values(found["x_0"]), values(found["forward"])
    assert forward.shape == (21, 300, 2) and np.allclose(forward[0], x_0[:300], atol=1e-3)
    assert len(found["alpha_bar"]) == 21 and found["alpha_bar"][0] == 1
    assert len(base64.b64decode(found["mass"])) == len(found["levels"]) * tool.SIDE**2
    assert set(base64.b64decode(found["labels"])) == set(range(8))
    assert found == asked(place, "shape", shape="gaussians", seed=3)


def test_a_training_is_seen_and_its_network_walks(place: str) -> None:
    told = watched(place, shape="drawn", drawing=LINE, seed=1)
    frames = [body for kind, body in told if kind == "frame"]
    assert told[-1][0] == "end" and frames[0]["step"] == 0 and frames[0]["loss"] is None
    assert values(frames[-1]["back"]).shape == (26, 300, 2) and frames[-1]["step"] == 30
    net = frames[-1]["net"]
    walk = asked(place, "walk", net=net, seed=1)
    ddpm, ddim = values(walk["ddpm"]), values(walk["ddim"])
    assert ddpm.shape == ddim.shape == (21, 300, 2) and np.allclose(ddpm[-1], ddim[-1], atol=1e-3)
    forward = values(asked(place, "shape", shape="drawn", drawing=LINE, seed=1)["forward"])
    assert np.allclose(ddim[-1], forward[-1], atol=2e-3), "they come back from where they dissolved to"
    turned = asked(place, "walk", net=net, seed=1, turn=8)
    assert np.allclose(values(turned["ddim"])[-1], forward[8], atol=2e-3) and values(turned["ddim"]).shape == (9, 300, 2)
    field = asked(place, "field", net=net)
    assert values(field["eps"]).shape == (len(field["levels"]), tool.SIDE, tool.SIDE, 2)
    followed = asked(place, "follow", net=net, x=[0.5, -1], k=10)
    assert values(followed["ddim"]).shape == (11, 2) and values(followed["ddpm"]).shape == (12, 11, 2)


def test_a_page_that_leaves_ends_its_training(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane.Train, "__init__", lambda self, *args, **named: _long(self, *args, **named))
    with httpx.stream("POST", f"{place}/plane/train", json={"session": "one"}, timeout=60) as answer:
        next(heard(answer.iter_lines()))
        while not runtime.state().running:
            time.sleep(0.01)
    began = time.monotonic()
    while runtime.state().running:
        assert time.monotonic() - began < 2
        time.sleep(0.02)


def _long(made: Any, shape: Any, seed: int = 0, steps: int = 20_000, side: int = 5, reach: float = 3.0) -> None:
    for name, value in {"shape": shape, "seed": seed, "steps": 20_000, "side": 5, "reach": reach}.items():
        object.__setattr__(made, name, value)


@pytest.mark.parametrize(("path", "body", "words"), [
    ("shape", {"shape": "heart"}, "the shape is 'heart'"),
    ("shape", {"shape": "drawn"}, "The drawing arrived damaged"),
    ("shape", {"shape": "drawn", "drawing": [[0, 0]] * 4}, "the drawing has 4 places"),
    ("shape", {"shape": "drawn", "drawing": [[0, "x"]] * 9}, "The drawing arrived damaged"),
    ("shape", {"seed": 1e30}, "the seed is 1e+30"),
    ("train", {"seed": "x"}, "the seed is 'x'"),
    ("walk", {"net": "trained/0123456789abcdef"}, "cleared away"),
    ("walk", {"net": "trained/0123456789abcdef", "turn": 0}, "the turn is 0"),
    ("follow", {"net": "m", "x": [99, 0]}, "the place holds 99"),
    ("follow", {"net": "m", "x": "here"}, "The place arrived damaged"),
    ("pictures", {"places": []}, "The places arrived damaged"),
    ("pictures", {"places": [[float("1e9"), 0]]}, "The places arrived damaged"),
])
def test_what_cannot_be_done_is_said(place: str, path: str, body: dict[str, Any], words: str) -> None:
    assert words in asked(place, path, **body)["error"]


def test_places_of_the_latent_plane_are_decoded(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(models.BUNDLED)
    found = asked(place, "pictures", places=[[0.1 * k, 1] for k in range(10)])
    assert found["uri"].startswith("data:image/webp;base64,") and found["columns"] == 3 and found["side"] == 28


def test_the_address_is_read_strictly() -> None:
    found, faults = state.parse({"tool": "plane", "shape": "spiral", "by": "ddim", "level": "1001", "net": "trained/x",
                                 "drawn": "!", "learn": "1"})
    assert found["shape"] == "spiral" and found["by"] == "ddim" and found["learn"] is True
    assert found["level"] == 0 and found["net"] == "" and found["drawn"] == ""
    assert sum("level" in fault or "address holds" in fault for fault in faults) == 3


def test_numbers_survive_their_way() -> None:
    there = np.random.default_rng(0).standard_normal((5, 3, 2)).astype(np.float32)
    assert np.allclose(values(tool.packed(there)), there, atol=2e-4)
    with pytest.raises(BadInput):
        tool.numbers([[float("nan"), 0]], "It", 4)
