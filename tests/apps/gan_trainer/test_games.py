"""Games on their way to a page: streamed, steered, stopped, gone on with, taken apart and taken home."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from apps.gan_trainer import rules, wire
from apps.gan_trainer.films import films
from engines.gan import plane
from engines.gan.plane import jobs
from gallery import streams
from tests.apps.gan_trainer.told import begun, head, stream
from tests.apps.served import post

QUICK = {"g_layers": [8], "d_layers": [8], "batch": 16}


def asked(**body: Any) -> dict[str, Any]:
    return {"session": "me", "data": "ring", "seed": 3, "rules": QUICK, "until": 40, **body}


def played(place: str, **body: Any) -> tuple[str, list[dict[str, Any]]]:
    told, looks = stream(post(place, "plane/play", **asked(**body)))
    assert told[0]["event"] == "run" and told[-1]["event"] == "end", told
    return told[0]["film"], looks


def test_a_game_streams_its_looks_and_ends_where_it_was_asked_to(place: str) -> None:
    name, looks = played(place)
    assert looks[0]["step"] == 0 and looks[-1]["step"] == 40
    assert looks[-1]["kept"] and looks[-1]["w1"] is not None and 0 <= looks[-1]["good"] <= 1
    assert len(looks[-1]["modes"]) == 8
    assert films().get(name).newest.step == 40


def test_what_is_sent_is_what_the_engine_made(place: str) -> None:
    answer = post(place, "plane/play", **asked())
    body = [body for kind, body in streams.read(answer) if kind == streams.FRAME][-1]
    quick = plane.Rules(g_layers=(8,), d_layers=(8,), batch=16)
    look = [look for look in jobs.play(plane.Play(plane.Shape("ring"), quick, 3, 40)) if look is not None][-1]
    told, arrays = streams.parted(body)
    samples = np.frombuffer(arrays, "<i2", 2 * told["samples"]).reshape(-1, 2) * wire.UNIT
    assert np.abs(samples - look.samples).max() <= wire.UNIT
    surface = np.frombuffer(arrays, np.uint8, told["side"] ** 2, len(arrays) - told["side"] ** 2)
    assert np.abs(surface.reshape(look.surface.shape) / 255 - 1 / (1 + np.exp(-look.surface))).max() < 0.01
    assert told["loss_d"] == pytest.approx(look.measures.loss_d, rel=1e-4)


def test_a_pace_gives_a_look_at_every_so_many_steps(place: str) -> None:
    began = time.monotonic()
    _, looks = played(place, pace=600, until=200)
    assert [look["step"] for look in looks] == [*range(0, 200, 15), 200], "forty looks a second"
    assert time.monotonic() - began >= 0.25, "two hundred steps at six hundred a second"


def test_going_on_is_as_if_it_had_never_stopped(place: str) -> None:
    _, whole = played(place, until=80)
    name, _ = played(place, until=40)
    again, rest = played(place, until=80, film=name)
    assert again == name and rest[0]["step"] == 40
    for key in ("loss_d", "loss_g", "modes", "w1", "norm_g"):
        assert rest[-1][key] == whole[-1][key]


def test_going_on_from_an_earlier_step_is_another_film_that_begins_alike(place: str) -> None:
    name, _ = played(place, until=60)
    branch, looks = played(place, until=60, film=name, step=33, rules={**QUICK, "lr_g": 0.01})
    assert branch != name and looks[0]["step"] == 33 and looks[0]["changed"] == ["lr_g"]
    assert films().get(name).newest.step == films().get(branch).newest.step == 60
    same, unchanged = played(place, until=60, film=name, step=33)
    assert same not in (name, branch)
    _, straight = played(place, until=60)
    assert unchanged[-1]["loss_d"] == straight[-1]["loss_d"], "nothing changed, so it is the same game"
    assert looks[-1]["loss_d"] != straight[-1]["loss_d"]


def test_rules_change_under_way_and_the_change_is_marked(place: str) -> None:
    line, answer, name = begun(place, "plane/play", **asked(until=1_000_000))
    assert json.loads(post(place, "plane/steer", film=name, rules={"loss": "hinge", "lr_d": 0.01})) == {"ok": True}
    early = answer.read(150_000)             # a page that does not read stops the game
    post(place, "plane/steer", film=name, stop=True)
    told, looks = stream(early + answer.read())
    changed = [look for look in looks if look["changed"]]
    assert [look["changed"] for look in changed] == [["loss", "lr_d"]] and changed[0]["kept"]
    assert told[-1]["event"] == "end" and looks[-1]["kept"]
    assert films().get(name).newest.step == looks[-1]["step"] > changed[0]["step"]
    assert films().get(name).newest.moment.rules.loss == "hinge"


def test_a_page_that_goes_ends_its_game_and_leaves_the_film(place: str) -> None:
    from apps.gan_trainer.games import table

    line, answer, name = begun(place, "plane/play", **asked(until=1_000_000))
    run = table().live[name].run
    answer.read(20_000)
    answer.close()
    line.close()
    until = time.monotonic() + 3
    while not run.ended and time.monotonic() < until:
        time.sleep(0.02)
    assert run.ended
    told, looks = stream(urllib.request.urlopen(f"{place}/plane/film/{name}").read())
    assert told[0]["seed"] == 3 and told[0]["rules"]["batch"] == 16 and looks
    again, more = played(place, film=name, until=looks[-1]["step"] + 20)
    assert again == name and more[-1]["step"] == looks[-1]["step"] + 20


def test_one_step_is_taken_apart_and_the_game_stands_behind_it(place: str) -> None:
    name, _ = played(place, until=10)
    records = streams.read(post(place, "plane/round", **asked(film=name, who="both")))
    anatomy, look = head(records[0][1]), head(records[1][1])
    assert anatomy["film"] == name and anatomy["batch"] == 16 and len(anatomy["real_before"]) == 16
    assert look["step"] == 11 and films().get(name).newest.step == 11
    _, straight = played(place, until=11)
    assert look["loss_d"] == straight[-1]["loss_d"], "the step of the slow motion is the step of the game"
    for who in ("d", "g"):
        before = films().get(name).newest.moment
        post(place, "plane/round", **asked(film=name, who=who))
        after = films().get(name).newest.moment
        assert (before.g == after.g).all() == (who == "d") and (before.d == after.d).all() == (who == "g")


def test_networks_are_taken_home_with_their_rules(place: str) -> None:
    name, _ = played(place)
    content = urllib.request.urlopen(f"{place}/plane/film/{name}/weights?step=25").read()
    tensors = load(content)
    assert {key: value.shape for key, value in tensors.items()} == {
        "g.0.weight": (2, 8), "g.0.bias": (8,), "g.1.weight": (8, 2), "g.1.bias": (2,),
        "d.0.weight": (2, 8), "d.0.bias": (8,), "d.1.weight": (8, 1), "d.1.bias": (1,)}
    assert b'"step":"25"' in content[:2000] and b'non-saturating' in content[:2000]


@pytest.mark.parametrize("body, said", [
    ({"rules": {"lr_g": -1}}, "learning rate is -1; it may be 0 to 10"), ({"rules": {"lr_g": 1e9}}, "it may be 0 to 10"),
    ({"rules": {"d_layers": [0]}}, "is 0; it may be 1 to 128"), ({"until": -1}, "it may be 0 to"), ({"seed": "x"}, "whole number"),
    ({"data": "moons"}, "the data is 'moons'"), ({"data": "own"}, "There are no points yet"), ({"who": "nobody"}, "the player is"),
    ({"film": "gone"}, "no longer kept here"),
])
def test_what_cannot_be_played_is_said_in_a_sentence(place: str, body: dict[str, Any], said: str) -> None:
    assert said in json.loads(post(place, "plane/play", **asked(**body)))["error"]


def test_a_game_that_blows_up_stops_and_leaves_a_moment_to_go_on_from(place: str) -> None:
    wild = {**QUICK, "optimiser": "sgd", "lr_g": 10, "lr_d": 10, "beta1": 0.99, "loss": "least-squares"}
    name, looks = played(place, rules=wild, until=5000)
    assert "no number any more" in looks[-1]["broken"] and looks[-1]["step"] < 5000
    moment = films().get(name).newest.moment
    assert np.isfinite(moment.g).all() and np.isfinite(moment.d).all()
    assert played(place, film=name, step=0, rules={**rules.told(rules.DEFAULT), **QUICK}, until=20)[1][-1]["step"] == 20


def test_a_table_is_uploaded_and_played(place: str) -> None:
    request = urllib.request.Request(f"{place}/plane/csv", "\n".join(f"{k % 5},{k * 3}" for k in range(50)).encode())
    answer = json.loads(urllib.request.urlopen(request).read())
    assert "50 points read" in answer["said"]
    (_, body), = streams.read(post(place, "plane/data", data="own", points=answer["points"]))
    assert head(body)["centre"] == pytest.approx([2.0, 73.5]), "which the page can take back to the table's own units"
    _, looks = played(place, data="own", points=answer["points"])
    assert looks[-1]["modes"] == [] and looks[-1]["step"] == 40
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{place}/plane/csv", b"not a table\nat all\n"))
    assert "Line 2 of the file" in json.loads(refused.value.read())["error"]


def test_two_visitors_play_the_same_game_alike_at_the_same_time(place: str) -> None:
    found: dict[int, list[dict[str, Any]]] = {}

    def visit(who: int) -> None:
        found[who] = played(place, session=f"visitor {who}", until=300)[1]
    threads = [threading.Thread(target=visit, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found[0][-1]["loss_d"] == found[1][-1]["loss_d"] and found[0][-1]["step"] == 300
