"""The query string: what is said of bad input, and that the page goes on."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.latent_space_explorer import DEMO, catalogue, parse
from apps.latent_space_explorer.state import LAYERS, MOST_PINS, TOOLS


def test_an_empty_query_gives_the_defaults() -> None:
    state, faults = parse({})
    assert faults == []
    assert state["model"] == catalogue.DEFAULT and state["z"] is None and state["pins"] == []
    assert state["tool"] == "explore" and state["layers"] == ["points", "manifold"]


@pytest.mark.parametrize("scene", DEMO.scenes, ids=lambda scene: scene.title)
def test_every_scene_parses_without_a_word(scene) -> None:
    assert parse(scene.query)[1] == []


@pytest.mark.parametrize("query, words", [
    ({"z": "nan,0"}, ("z", "nan")),
    ({"z": "1e9,0"}, ("z", "1000")),
    ({"z": "inf,0"}, ("z", "inf")),
    ({"z": "one,two"}, ("z", "no number")),
    ({"z": "1,2,3"}, ("3 numbers", "2 dimensions")),
    ({"z": ",".join("0" * 600)}, ("600", "512")),
    ({"model": "vae-mnist-3d"}, ("vae-mnist-3d", catalogue.DEFAULT)),
    ({"model": "../../etc/passwd"}, ("passwd",)),
    ({"model": "trained/0123456789abcdef"}, (catalogue.DEFAULT,)),
    ({"compare": "nobody"}, ("nobody", "no second map")),
    ({"compare": "vae-fashion-2d"}, ("vae-fashion-2d", "other pictures")),
    ({"tool": "hammer"}, ("hammer", "explore")),
    ({"wider": "7"}, ("wider", "7", "6")),
    ({"layers": "points,fog"}, ("fog",)),
    ({"view": "0,0"}, ("view", "three")),
    ({"view": "0,0,0"}, ("width",)),
    ({"only": "4,banana"}, ("only", "banana")),
    ({"pins": "x4"}, ("pin",)),
    ({"pins": "t99999999"}, ("test picture",)),
    ({"pins": "t10000"}, ("10000", "9999")),
    ({"pins": "p1,2,3"}, ("3 numbers",)),
    ({"pins": "~".join(["t1"] * (MOST_PINS + 1))}, (str(MOST_PINS + 1), str(MOST_PINS))),
    ({"z": "<img src=x onerror=alert(1)>"}, ("z",)),
])
def test_bad_input_is_said_in_a_sentence_and_the_default_stands(query: dict[str, str], words: tuple[str, ...]) -> None:
    state, faults = parse(query)
    assert len(faults) == 1
    assert all(word in faults[0] for word in words), faults
    assert faults[0].endswith(".") and len(faults[0]) < 300
    key = next(iter(query))
    assert state[key] == parse({})[0][key]


def test_what_is_good_is_taken_beside_what_is_bad() -> None:
    state, faults = parse({"z": "nan", "tool": "train", "pins": "t3~p0.5,-1", "only": "4,9", "view": "0,1,2.5", "layers": "density"})
    assert len(faults) == 1
    assert state["tool"] == "train" and state["only"] == [4, 9] and state["view"] == [0, 1, 2.5] and state["layers"] == ["density"]
    assert state["pins"] == [{"kind": "test", "index": 3}, {"kind": "point", "z": [0.5, -1.0]}]


def test_no_layer_at_all_can_be_asked_for() -> None:
    assert parse({"layers": "none"})[0]["layers"] == [] and parse({"layers": ""})[0]["layers"] == ["points", "manifold"]


KEYS = ["model", "compare", "z", "pins", "tool", "layers", "view", "only", "own", "wider", "steps", "way", "seed", "dims", "sum", "train"]


@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=60)))
def test_any_query_gives_a_state_that_json_can_carry(query: dict[str, str]) -> None:
    state, faults = parse(query)
    json.dumps(state, allow_nan=False)
    assert all(isinstance(fault, str) and fault for fault in faults)
    assert state["tool"] in TOOLS and set(state["layers"]) <= set(LAYERS)
    assert state["z"] is None or all(math.isfinite(value) for value in state["z"])


@given(st.lists(st.floats(-1000, 1000, allow_nan=False), min_size=2, max_size=2))
def test_every_point_in_reach_is_taken(z: list[float]) -> None:
    state, faults = parse({"z": ",".join(map(repr, z))})
    assert faults == [] and state["z"] == z
