"""Games of pictures on their way to a page: trained live, steered, gone on with; stages, classes, walks and faults."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import shutil
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from apps.gan_trainer import pictures_rules, pictures_stages, rules, state
from apps.gan_trainer.films import Seen, put
from apps.gan_trainer.pictures_films import PictureFilm, films
from engines import runtime
from engines.gan import pictures
from engines.gan.pictures.rules import Architecture, Rules
from engines.runtime import models, trained
from gallery import streams
from tests.apps.gan_trainer.told import begun, head, stream
from tests.apps.served import post

QUICK = {"batch": 8}
HOME = Path(__file__).resolve().parents[3] / "assets" / "models"


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A gallery that has one GAN, small and untrained, with two stages, and the classifier of its set."""
    from engines.gan.pictures.networks import fresh
    from engines.gan.pictures.stages import packed, save

    architecture = Architecture(width=4, z_dim=6, label_dim=2)
    folder = tmp_path / "gan-mnist"
    folder.mkdir()
    save(folder, {200: packed(*fresh(architecture, 1))}, architecture, Rules(z_dim=6, batch=8), dataset="mnist",
         classes=list("0123456789"), stages=[0, 200], seed=1, steps=200, seconds=3,
         measured={"stages": {"200": {"frechet": 9.5, "recognised": 0.5, "precision": 0.4, "recall": 0.3}}})
    trained.write_sums(folder)
    shutil.copytree(HOME / "classifier-mnist", tmp_path / "classifier-mnist")
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    yield folder


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery without a GAN."""
    shutil.copytree(HOME / "classifier-mnist", tmp_path / "classifier-mnist")
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))


def asked(**body: Any) -> dict[str, Any]:
    return {"session": "me", "set": "mnist", "stage": "scratch", "seed": 3, "rules": QUICK, "until": 3, **body}


def played(place: str, **body: Any) -> tuple[str, list[dict[str, Any]]]:
    told, looks = stream(post(place, "pictures/play", **asked(**body)))
    told = [each for each in told if each["event"] != "again"]
    assert told[0]["event"] == "run" and told[-1]["event"] == "end", told
    return told[0]["film"], looks


def images(body: bytes) -> np.ndarray:
    """The pictures of a record, (N, side, side, C)."""
    told, arrays = streams.parted(body)
    shape = told["count"], told["side"], told["side"], told["channels"]
    return np.frombuffer(arrays, np.uint8, int(np.prod(shape))).reshape(shape)


def only(answer: bytes) -> tuple[dict[str, Any], np.ndarray]:
    ((kind, body),) = streams.read(answer)
    assert kind == streams.FRAME
    return head(body), images(body)


def fault(answer: bytes) -> str:
    return json.loads(answer)["error"]


# --- a game ------------------------------------------------------------------------------------------------------

def test_a_training_streams_its_looks_and_ends_where_it_was_asked_to(place: str) -> None:
    name, looks = played(place)
    assert [looks[0]["step"], looks[-1]["step"]] == [0, 3]
    assert looks[0]["rows"] == 0 and looks[-1]["rows"] == 3 and looks[-1]["kept"]
    assert looks[-1]["count"] == 60 and looks[-1]["side"] == 28 and looks[-1]["channels"] == 1
    assert 0 < looks[-1]["d_real"] < 1 and looks[0]["d_real"] is None
    film = films().get(name)
    assert film.steps == [0, 3] and film.looks[-1].step == 3


def test_what_is_sent_is_what_the_engine_made(place: str) -> None:
    body = [body for kind, body in streams.read(post(place, "pictures/play", **asked())) if kind == streams.FRAME][-1]
    params = pictures.Train("mnist", Rules(batch=8), 3, 3, every=1000, measure_every=0)
    look = runtime.start(pictures.train, params, session="me").result()
    assert (images(body) == look.images[:, 2:30, 2:30]).all()
    numbers = np.frombuffer(body[-4 * (2 * 60 + 3 * 7):], "<f4")
    assert numbers[:60] == pytest.approx(look.verdicts) and numbers[60:120] == pytest.approx(look.real_verdicts)
    assert numbers[120:].reshape(3, 7) == pytest.approx(look.curve, nan_ok=True)


def test_only_the_beginning_is_played_where_only_that_is_asked_for(place: str) -> None:
    name, looks = played(place, first=True, until=None)
    assert [look["step"] for look in looks] == [0] and films().get(name).steps == [0]


def test_going_on_is_as_if_it_had_never_stopped(place: str) -> None:
    _, whole = played(place, until=4)
    name, _ = played(place, until=2)
    again, rest = played(place, until=4, film=name)
    assert again == name and rest[0]["step"] == 2
    for key in ("loss_d", "loss_g", "d_fake", "norm_g"):
        assert rest[-1][key] == whole[-1][key]


def test_going_on_from_an_earlier_step_is_another_film_that_begins_alike(place: str) -> None:
    name, _ = played(place, until=2)
    _, whole = played(place, until=6, film=name)
    told, looks = stream(post(place, "pictures/play", **asked(until=6, film=name, step=4, rules={**QUICK, "lr_g": 0.01})))
    assert [each["step"] for each in told if each["event"] == "again"][-1] == 4, "what lay between was played once more"
    branch = next(each for each in told if each["event"] == "run")
    assert branch["film"] != name and branch["start"] == looks[0]["step"] == 4
    assert [look["changed"] for look in looks if look["changed"]] == [["lr_g"]]
    assert films().get(name).steps == [0, 2, 6] and films().get(branch["film"]).steps == [0, 2, 4, 6]
    _, alike = played(place, until=6, film=name, step=4)
    for key in ("loss_d", "loss_g", "d_fake", "norm_g"):
        assert alike[-1][key] == whole[-1][key], "where nothing was changed it is the same future"


def test_a_film_whose_engine_died_goes_on_from_its_last_moment(place: str) -> None:
    name, _ = played(place, until=4)
    film = films().get(name)
    film.moments.pop()
    again, looks = played(place, until=4, film=name, step=4)
    assert again == name and looks[0]["step"] == 0 and film.steps == [0, 4]


def test_rules_change_under_way_and_the_change_is_marked(place: str) -> None:
    _, answer, name = begun(place, "pictures/play", **asked(until=None))
    assert json.loads(post(place, "pictures/steer", film=name, rules={"loss": "hinge"})) == {"ok": True}
    time.sleep(1)
    post(place, "pictures/steer", film=name, stop=True)
    told, looks = stream(answer.read())
    assert [look["changed"] for look in looks if look["changed"]] == [["loss"]]
    assert told[-1]["event"] == "end" and looks[-1]["kept"] and looks[-1]["loss"] == "hinge"
    assert films().get(name).moments[-1].moment.rules.loss == "hinge"
    about, again = stream(fetched(place, f"pictures/film/{name}"))
    assert about[0]["kept"][-1] == looks[-1]["step"] and about[0]["rules"]["loss"] == "hinge" and not about[0]["live"]
    assert again[-1]["step"] == looks[-1]["step"]


def fetched(place: str, path: str) -> bytes:
    line = http.client.HTTPConnection(place.removeprefix("http://"))
    line.request("GET", "/" + path)
    return line.getresponse().read()


def test_a_page_that_goes_ends_its_training_within_two_seconds_and_leaves_the_film(place: str) -> None:
    line, answer, name = begun(place, "pictures/play", **asked(until=None))
    answer.read(1000)
    answer.close()
    line.close()
    until = time.monotonic() + 2
    from apps.gan_trainer.pictures_games import table
    while name in table().live and time.monotonic() < until:
        time.sleep(0.05)
    assert name not in table().live
    _, rest = played(place, film=name, until=1, first=True)
    assert rest[-1]["step"] >= 0


def test_a_training_that_breaks_says_where_and_keeps_the_last_good_moment(place: str) -> None:
    told, looks = stream(post(place, "pictures/play", **asked(until=400, rules={**QUICK, "lr_g": 10, "lr_d": 10, "r1": 100})))
    assert told[-1]["event"] == "end" and "which is no number to go on with" in looks[-1]["broken"]
    name = told[0]["film"]
    played(place, film=name, until=films().get(name).moments[-1].step + 1, rules={**QUICK, "lr_g": 0.001, "lr_d": 0.001})


def test_an_engine_that_dies_is_told_and_the_film_stays(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.gan_trainer import pictures_games
    from engines.runtime import EngineLost

    name, _ = played(place, until=2)

    class Dying:
        """A run whose engine dies after its first look."""

        def __init__(self, run: Any) -> None:
            self.run, self.status, self.cancel = run, run.status, run.cancel

        async def __aiter__(self) -> Any:
            async for frame in self.run:
                yield frame
                raise EngineLost("The engine stopped while it worked for you.")

    start = runtime.start
    monkeypatch.setattr(pictures_games.runtime, "start", lambda *given, **more: Dying(start(*given, **more)))
    told, _ = stream(post(place, "pictures/play", **asked(until=9, film=name)))
    assert told[-1] == {"event": "failed", "error": "The engine stopped while it worked for you.", "lost": True, "step": 2}
    monkeypatch.undo()
    assert played(place, film=name, until=3)[1][-1]["step"] == 3


# --- stages, classes, walks --------------------------------------------------------------------------------------

def test_a_set_says_what_is_here(place: str, bundle: Path) -> None:
    head, shown = only(fetched(place, "pictures/about?set=mnist"))
    assert head["stages"] == [0, 200] and head["why"] == "" and head["rules"]["z_dim"] == 6
    assert head["labels"][:11] == [*range(10), 0] and shown.shape == (60, 28, 28, 1)


def test_a_set_without_its_model_says_so_and_can_be_trained(place: str, bare: None) -> None:
    head, _ = only(fetched(place, "pictures/about?set=emoji"))
    assert head["stages"] == [] and "not installed here: train from scratch" in head["why"]
    assert head["rules"]["augment"] is True, "as its recipe has it"
    assert "train from scratch" in fault(post(place, "pictures/stages", set="emoji"))
    assert "train from scratch" in fault(post(place, "pictures/play", **asked(set="fashion", stage="200")))


def test_all_stages_come_at_once_with_verdicts_and_what_was_measured(place: str, bundle: Path) -> None:
    _, looks = stream(post(place, "pictures/stages", set="mnist", seed=5))
    assert [look["step"] for look in looks] == [0, 200] and all(look["precomputed"] for look in looks)
    assert looks[1]["measures"]["frechet"] == 9.5 and looks[0]["measures"] is None
    first = pictures_stages.answers().held
    assert post(place, "pictures/stages", set="mnist", seed=5) in first.values(), "the second time it is remembered"


def test_training_goes_on_from_a_stage_with_the_same_pictures(place: str, bundle: Path) -> None:
    records = streams.read(post(place, "pictures/stages", set="mnist", seed=3))
    told, looks = stream(post(place, "pictures/play", **asked(stage="200", until=202)))
    assert told[0]["start"] == 200 and looks[0]["step"] == 200 and looks[-1]["step"] == 202
    body = next(body for kind, body in streams.read(post(place, "pictures/play", **asked(stage="200", first=True)))
                if kind == streams.FRAME)
    assert (images(body) == images(records[1][1])).all(), "from the same noise"
    assert looks[0]["changed"] == [] and films().get(told[0]["film"]).moments[-1].moment.rules.z_dim == 6


def test_one_class_is_asked_for_and_looked_at(place: str, bundle: Path) -> None:
    head, shown = only(post(place, "pictures/class", set="mnist", stage="200", label=7, count=12))
    assert shown.shape == (12, 28, 28, 1) and head["step"] == 200
    assert 0 <= head["recognised"] <= 1 and len(head["taken"]) == 12
    name, _ = played(place)
    of_run, _ = only(post(place, "pictures/class", film=name, step=2, label=7, count=12))
    assert of_run["step"] == 0, "the last moment that was kept before"


def test_a_walk_is_a_sheet_of_one_class(place: str, bundle: Path) -> None:
    head, shown = only(post(place, "pictures/walk", set="mnist", stage="200", label=1, directions=4))
    assert len(shown) == head["rows"] * head["columns"] and head["extent"] == 1.5
    other = only(post(place, "pictures/walk", set="mnist", stage="200", label=1, directions=5))[1]
    assert (shown != other).any()


def test_both_networks_can_be_taken_home(place: str, bundle: Path) -> None:
    name, _ = played(place)
    tensors = load(post(place, "pictures/weights", film=name, step=3))
    assert {key.split(".")[0] for key in tensors} == {"g", "d"}
    assert load(post(place, "pictures/weights", set="mnist", stage="200"))


# --- for programs ------------------------------------------------------------------------------------------------

def test_a_program_makes_pictures_and_trains(bundle: Path) -> None:
    from apps.gan_trainer.pictures import make_pictures, train_pictures

    made = asyncio.run(make_pictures({"set": "mnist", "stage": 200, "label": 3, "count": 4}, None))
    assert len(made["pictures"]) == len(made["verdicts"]) == 4
    assert Image.open(io.BytesIO(base64.b64decode(made["pictures"][0]))).size == (28, 28)
    found = asyncio.run(train_pictures({"set": "mnist", "rules": {"batch": 8}}, 2, None))
    assert found["step"] == 2 and len(found["pictures"]) == len(found["labels"]) == 60 and found["broken"] == ""
    for settings, steps, said in [("mnist", 1, "must be an object"), ({"stage": 7}, 1, "the stage is '7'"),
                                  ({}, 10**6, "number of steps")]:
        with pytest.raises(gr.Error, match=said):
            asyncio.run(train_pictures(settings, steps, None))


# --- what cannot be ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, body, said", [
    ("play", {"set": "cats"}, "the set of pictures is 'cats'; it may be mnist, fashion, emoji"),
    ("play", {"stage": "77"}, "the stage is '77'"), ("play", {"stage": "5000"}, "stage after 5,000 steps is not here"),
    ("play", {"rules": {"lr_g": 1e9}}, "learning rate is 1e+09"), ("play", {"rules": {"lr_d": -1}}, "learning rate is -1"),
    ("play", {"rules": {"mood": 1}}, "no rule named 'mood'"), ("play", {"rules": {"spectral": "yes"}}, "on or off"),
    ("play", {"rules": []}, "damaged"), ("play", {"seed": -1}, "the seed is -1"), ("play", {"until": "x"}, "the last step"),
    ("play", {"film": "nobody"}, "no longer kept here"), ("steer", {"film": "nobody"}, "no longer kept here"),
    ("class", {"stage": "200", "label": 40}, "class 40 was asked for"),
    ("class", {"stage": "200", "count": 0}, "the count is 0"),
    ("class", {"stage": "scratch"}, "no networks yet"), ("walk", {"stage": "200", "label": -1}, "the label is -1"),
    ("walk", {"film": "nobody"}, "no longer kept here"), ("weights", {"stage": "1000"}, "is not here"),
    ("stages", {"set": 3}, "the set of pictures is '3'"),
])
def test_what_cannot_be_asked_is_a_sentence(place: str, bundle: Path, path: str, body: dict[str, Any], said: str) -> None:
    assert said in fault(post(place, f"pictures/{path}", **{**asked(), **body}))


def test_a_damaged_model_is_said_and_scratch_works(place: str, bundle: Path) -> None:
    (bundle / "config.json").write_text("{")
    head, _ = only(fetched(place, "pictures/about?set=mnist"))
    assert head["stages"] == [] and "cannot be read" in head["why"]
    assert played(place, first=True)[1][0]["step"] == 0


# --- what is kept, and the address -------------------------------------------------------------------------------

def test_a_film_stays_within_its_memory_and_keeps_its_ends_and_marks() -> None:
    film = PictureFilm("mnist", 0)
    for step in range(200):
        put(film.looks, Seen(step, bytes(10), step == 77), 200)
    steps = [each.step for each in film.looks]
    assert len(steps) == 20 and steps[0] == 0 and steps[-1] == 199 and 77 in steps
    assert max(b - a for a, b in pairwise(steps)) <= 32, "evenly thinned"
    assert [each.step for each in film.branch(80).looks] == [step for step in steps if step <= 80]


def test_every_rule_can_stand_in_an_address() -> None:
    given = {"loss": "wgan-gp", "lr_g": "0.02", "lr_d": "0", "beta1": "0.9", "beta2": "0.5", "d_steps": "3", "batch": "32",
             "z_dim": "8", "z_kind": "uniform", "noise": "0.1", "smoothing": "0.2", "r1": "1", "gp": "2", "clip": "0.02",
             "spectral": "1", "batch_norm": "0", "batch_norm_d": "1", "augment": "1"}
    assert set(given) == set(pictures_rules.NAMES)
    found, faults = state.parse({f"p_{name}": value for name, value in given.items()})
    assert faults == []
    read = rules.read({name: found[f"p_{name}"] for name in given}, Rules())
    assert read.differs(Rules()) == tuple(name for name in pictures_rules.NAMES)


@pytest.mark.parametrize("query, said", [
    ({"set": "cats"}, "the set of pictures is 'cats'"), ({"stage": "10"}, "the stage is '10'"),
    ({"ask": "12"}, "may be 0 to 9"),
    ({"p_lr_g": "1e9"}, "learning rate is 1e+09"), ({"reel": "../x"}, "cannot be read"),
    ({"puntil": "0"}, "it may be 1 to 1"),
])
def test_what_cannot_be_read_is_said_and_the_default_stands(query: dict[str, str], said: str) -> None:
    found, faults = state.parse(query)
    assert len(faults) == 1 and said in faults[0]
    (key,) = query
    assert found[key] == state.all_fields()[key].default
