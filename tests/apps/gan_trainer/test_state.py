"""The page's address, read strictly."""

from __future__ import annotations

import pytest

from apps.gan_trainer import DEMO, rules, state
from engines.gan import plane
from engines.gan.plane import presets


def test_an_empty_address_is_the_defaults() -> None:
    found, faults = state.parse({})
    assert faults == []
    assert found["data"] == "ring" and found["tool"] == "plane" and found["loss"] == "non-saturating"
    assert rules.read({name: found[name] for name in rules.NAMES}) == plane.Rules()


def test_every_rule_can_stand_in_an_address() -> None:
    given = {"loss": "wgan-gp", "g_layers": "64,32", "d_layers": "8", "z_dim": "4", "z_kind": "uniform", "batch": "32",
             "d_steps": "3", "optimiser": "sgd", "lr_g": "0.02", "lr_d": "0", "beta1": "0.9", "beta2": "0.5", "decay": "4000", "clip": "0.01",
             "gp": "2", "r1": "1", "noise": "0.1", "smoothing": "0.2", "spectral": "1", "batch_norm": "1"}
    assert set(given) == set(rules.NAMES)
    found, faults = state.parse(given)
    assert faults == []
    read = rules.read({name: found[name] for name in rules.NAMES})
    assert read.differs(plane.Rules()) == rules.NAMES
    assert read.g_layers == (64, 32) and read.lr_d == 0.0 and read.spectral is True


@pytest.mark.parametrize("query, said", [
    ({"lr_g": "-1"}, "learning rate is -1; it may be 0 to 10"),
    ({"lr_g": "1e9"}, "learning rate is 1e+09; it may be 0 to 10"),
    ({"g_layers": "0"}, "is 0; it may be 1 to 128"),
    ({"g_layers": "1,2,3,4,5,6"}, "has 6 layers in the address; it may be 1 to 5"),
    ({"loss": "vae"}, "the loss is 'vae'"),
    ({"versus": "mood:good"}, "which is no rule"),
    ({"film": "../../x"}, "cannot be read"),
    ({"until": "0"}, "it may be 1 to 1"),
])
def test_what_cannot_be_read_is_said_and_the_default_stands(query: dict[str, str], said: str) -> None:
    found, faults = state.parse(query)
    assert len(faults) == 1 and said in faults[0]
    (key,) = query
    assert found[key] == state.all_fields()[key].default


def test_the_second_game_differs_in_typed_values() -> None:
    found, faults = state.parse({"versus": "loss:wgan-gp;gp:0.5;d_layers:8,8;spectral:1"})
    assert faults == []
    assert found["versus"] == {"loss": "wgan-gp", "gp": 0.5, "d_layers": [8, 8], "spectral": True}
    assert state.parse({"pversus": "batch_norm_d:1;lr_g:0.1"})[0]["pversus"] == {"batch_norm_d": True, "lr_g": 0.1}
    assert rules.read(found["versus"]).d_layers == (8, 8)


@pytest.mark.parametrize("asked, said", [
    ({"lr_g": "fast"}, "a number from 0 to 10"), ({"mood": 1}, "no rule named 'mood'"), ({"g_layers": []}, "hidden layers is 0"),
    ({"g_layers": "32"}, "list of whole numbers"), ({"spectral": 1}, "on or off"), ({"loss": 3}, "it is a word"), ([], "damaged"),
])
def test_rules_of_a_request_are_read_as_strictly(asked: object, said: str) -> None:
    from engines.runtime import BadInput

    with pytest.raises(BadInput, match=said):
        rules.read(asked)


def test_every_scene_is_read_without_a_fault() -> None:
    assert len(DEMO.scenes) >= 7
    for scene in DEMO.scenes:
        assert state.parse(scene.query)[1] == [], scene.title


def test_scenes_play_by_the_rules_that_were_measured() -> None:
    scenes = {scene.title: state.parse(scene.query)[0] for scene in DEMO.scenes}

    def played(title: str) -> plane.Rules:
        return rules.read({name: scenes[title][name] for name in rules.NAMES})
    assert played("The ring, learned") == played("In balance: D = 1/2") == presets.RECOMMENDED
    assert played("Mode collapse") == presets.COLLAPSE and played("The detective is too good") == presets.TOO_GOOD
    assert played("They run in circles") == presets.SWINGING and scenes["They run in circles"]["data"] == "line"
    for title, key, base, made in (("WGAN-GP repairs it", "versus", presets.LOSS_DECIDES, presets.RULED_BY_SLOPE),
                                   ("Change the rule midway", "midway", presets.COLLAPSE, presets.REPAIRED)):
        assert played(title) == base
        assert rules.read(scenes[title][key], base) == made
