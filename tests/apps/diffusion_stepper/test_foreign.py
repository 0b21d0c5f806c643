"""Models from elsewhere, through the room's own routes: looked at, refused in time, fetched, and walked through."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, VQModel

from apps.diffusion_stepper import catalogue, foreign, orders, state, wire
from engines.runtime import BadInput, hub
from gallery import streams
from tests.apps.served import lent, lines, post
from tests.engines.diffusion.test_layout import LATENT, SIDE, colour, first_stage
from tests.engines.runtime.toy_hub import ToyHub

NAME = "someone/ddpm-toy"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    DDPMPipeline(colour(), DDPMScheduler()).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoint: Path) -> Iterator[ToyHub]:
    with lent(monkeypatch, tmp_path, NAME, checkpoint) as server:
        yield server


def test_a_model_is_looked_at_fetched_and_walked_through(there: ToyHub, place: str) -> None:
    offer = json.loads(post(place, "look", name=f" {NAME} "))["offer"]
    assert offer["name"] == NAME and offer["licence"] == "apache-2.0" and offer["bytes"] > 10_000
    told = lines(post(place, "fetch", name=NAME))
    assert [each["done"] for each in told[:-1]] == sorted(each["done"] for each in told[:-1])
    known = told[-1]["config"]
    assert (known["image"], known["classes"], known["schedule"]) == ([SIDE, SIDE, 3], [], "linear")
    assert json.loads(post(place, "look", name=NAME))["config"] == known
    stream = streams.read(post(place, "run", model=NAME, label=-1, steps=3, session="a"))
    steps = [body for kind, body in stream if kind == streams.FRAME]
    assert len(steps) == 4 and len(wire.read_step(steps[0])[-1]) == 3 * SIDE * SIDE * 3
    cleaned, faults = state.parse({"model": NAME, "label": "7"})
    assert (cleaned["model"], cleaned["label"], faults) == (NAME, -1, [])
    assert [each["name"] for each in catalogue.offered(NAME)] == ["ddpm-mnist", NAME]


def test_two_visitors_wait_for_one_download(there: ToyHub, place: str) -> None:
    answers: list[bytes] = []
    both = [threading.Thread(target=lambda: answers.append(post(place, "fetch", name=NAME))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert len(answers) == 2 and all("config" in lines(answer)[-1] for answer in answers)
    weights = [each for each in there.asked if each.startswith("GET") and each.endswith("model.safetensors")]
    assert len(weights) == 1


def test_an_address_that_names_one_that_is_not_here_says_so(there: ToyHub) -> None:
    cleaned, faults = state.parse({"model": NAME})
    assert cleaned["model"] == catalogue.DEFAULT and "let it be fetched" in faults[0]


@pytest.mark.parametrize("name, words", [
    ("someone/nothing", "has no model someone/nothing"), ("", "no id of the Hub"), ("ddpm", "owner/model"),
    ("folder:nothing", "put one into models/ first"), ("<b>x</b>", "no id of the Hub"),
])
@pytest.mark.parametrize("way", ["look", "fetch"])
def test_what_is_not_there_is_one_sentence(there: ToyHub, place: str, way: str, name: str, words: str) -> None:
    if way == "fetch" and name.startswith("folder"):
        words = "no id of the Hub"
    assert words in lines(post(place, way, name=name))[-1]["error"]


def test_offline_and_pickles_and_sizes_are_sentences(there: ToyHub, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there.sizes["unet/diffusion_pytorch_model.safetensors"] = 10**15
    assert "larger GALLERY_MEMORY_MB" in json.loads(post(place, "look", name=NAME))["error"] or \
        "the disk has" in json.loads(post(place, "look", name=NAME))["error"]
    files = there.repositories[NAME]
    files["unet/diffusion_pytorch_model.bin"] = files.pop("unet/diffusion_pytorch_model.safetensors")
    assert "a pickle" in json.loads(post(place, "look", name=NAME))["error"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in json.loads(post(place, "look", name=NAME))["error"]


@pytest.mark.parametrize("policy, words", [("curated", "chosen models only"), ("bundled", "bundled models only")])
def test_the_host_may_forbid_it(there: ToyHub, place: str, monkeypatch: pytest.MonkeyPatch, policy: str, words: str) -> None:
    assert "config" in lines(post(place, "fetch", name=NAME))[-1]
    monkeypatch.setenv(hub.POLICY, policy)
    for way in ("look", "fetch"):
        assert words in lines(post(place, way, name=NAME))[-1]["error"]
    assert words in json.loads(post(place, "run", model=NAME, label=-1))["error"]
    shelf = json.loads(urllib.request.urlopen(f"{place}/shelf", timeout=10).read())
    assert (shelf["policy"], len(shelf["curated"])) == (policy, 3 if policy == "curated" else 0)


def test_a_folder_of_the_hosts_is_on_the_shelf_and_walks(there: ToyHub, place: str, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine").symlink_to(checkpoint)
    assert foreign.ELSEWHERE.shelf()["own"] == ["folder:mine"]
    assert json.loads(post(place, "look", name="folder:mine"))["config"]["name"] == "folder:mine"
    stream = streams.read(post(place, "run", model="folder:mine", label=-1, steps=2))
    assert sum(kind == streams.FRAME for kind, _ in stream) == 3


def test_a_latent_model_is_walked_with_its_schedule_and_refused_where_it_is_too_much(
        there: ToyHub, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "own" / "latent"
    colour().save_pretrained(folder / "unet", safe_serialization=True)
    first_stage(VQModel).save_pretrained(folder / "vqvae", safe_serialization=True)
    DDIMScheduler(**LATENT).save_config(folder / "scheduler")
    known = catalogue.told("folder:latent")
    assert (known["latent"], known["schedule"], known["image"]) == (True, "trained", [2 * SIDE, 2 * SIDE, 3])
    assert state.parse({"model": "folder:latent"})[0]["schedule"] == "trained"
    assert state.parse({"model": "folder:latent", "schedule": "cosine"})[0]["schedule"] == "cosine"
    assert state.parse({"schedule": "trained"})[0]["schedule"] == "linear"
    stream = streams.read(post(place, "run", model="folder:latent", label=-1, steps=2, schedule="trained"))
    steps = [body for kind, body in stream if kind == streams.FRAME]
    assert len(wire.read_step(steps[-1])[-1]) == 3 * 4 * SIDE * SIDE * 3
    curves = json.loads(urllib.request.urlopen(f"{place}/schedules?model=folder:latent", timeout=30).read())
    assert len(curves["data"]) == 12
    monkeypatch.setattr(foreign, "LATENT_ON_CPU", 1000)
    assert "wants a GPU" in json.loads(post(place, "look", name="folder:latent"))["error"]


def test_a_photograph_is_cut_square_for_a_model_from_elsewhere(there: ToyHub, place: str, tmp_path: Path,
                                                              checkpoint: Path) -> None:
    import io

    from PIL import Image
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine").symlink_to(checkpoint)
    file = io.BytesIO()
    Image.new("RGB", (300, 200), (250, 20, 20)).save(file, "PNG")
    request = urllib.request.Request(f"{place}/upload?model=folder:mine&name=a.png", file.getvalue())
    answer = json.loads(urllib.request.urlopen(request, timeout=30).read())
    assert answer["picture"]["w"] == SIDE and "square" in " ".join(answer["notes"])
    assert "upload one, or draw it" in json.loads(post(place, "picture", model="folder:mine", index=3))["error"]


def test_more_steps_than_a_page_can_hold_are_refused_with_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "config", lambda name: {"name": name, "image": [256, 256, 3], "classes": []})
    with pytest.raises(BadInput, match=r"1000 steps of 1 picture of 256 × 256 are 590 MB.*; 910 steps fit"):
        orders.sample({"model": NAME, "steps": 1000})
    assert orders.sample({"model": NAME, "steps": 900}).steps == 900
