"""The address: what may stand in it, and what is said of what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.temperature_slider import DEMO, delivery, state


def test_an_empty_address_is_the_default() -> None:
    assert state.parse({}) == (state.defaults(), [])


def test_every_scene_is_read_without_a_word() -> None:
    for scene in DEMO.scenes:
        found, faults = state.parse(scene.query)
        assert faults == [] and found != state.defaults()


def test_everything_can_be_set() -> None:
    found, faults = state.parse({"prompt": " Ann ", "tool": "write", "t": "0", "k": "40", "p": "0.9", "minp": "0.05", "typ": "0.5",
                                 "rep": "1.3", "seed": "7", "n": "5", "branch": "3:17~9:0", "scale": "log", "find": " a", "play": "1",
                                 "temps": "0.1,2", "samples": "3", "len": "20", "method": "greedy", "beams": "2", "lp": "-1",
                                 "read": "surprise", "text": "Bob"})
    assert faults == []
    assert (found["prompt"], found["t"], found["branch"], found["temps"], found["play"]) == (" Ann ", 0.0, "3:17~9:0", [0.1, 2.0], True)


@pytest.mark.parametrize("query, words", [
    ({"t": "nan"}, "the temperature is nan"), ({"t": "-1"}, "0 to 5"), ({"t": "inf"}, "0 to 5"), ({"p": "0"}, "top-p is 0"),
    ({"typ": "0"}, "typical-p is 0"), ({"k": "1.5"}, "whole number"), ({"rep": "0"}, "0.5 to 5"), ({"n": "0"}, "1 to 1024"),
    ({"seed": "1" + "0" * 30}, "the seed is 1e+30"), ({"prompt": "   "}, "only spaces"), ({"prompt": "a\0b"}, "NUL"),
    ({"prompt": "x" * 100_000}, "100000 characters"), ({"branch": "3:x"}, "place:token"), ({"branch": "~".join(["1:2"] * 65)}, "limit is 64"),
    ({"temps": "0.1,9"}, "0 to 5"), ({"temps": ",".join("1" * 9)}, "the limit is 8"), ({"tool": "magic"}, "distribution, write"),
    ({"model": "nobody"}, "nobody"), ({"beams": "9"}, "1 to 8"), ({"find": "x" * 81}, "limit is 80"), ({"method": "contrastive"}, "beam"),
])
def test_what_cannot_be_is_said_and_the_default_stands(query: dict[str, str], words: str) -> None:
    found, faults = state.parse(query)
    assert len(faults) == 1 and words in faults[0]
    assert found == state.defaults()


@given(st.dictionaries(st.sampled_from(["model", *state.FIELDS]), st.text(max_size=40), max_size=5))
def test_no_address_is_an_accident(query: dict[str, str]) -> None:
    found, faults = state.parse(query)
    assert set(found) == {"model", *state.FIELDS}
    assert all(isinstance(fault, str) and fault for fault in faults)


def test_opening_holds_what_the_page_draws_itself_with() -> None:
    answer = delivery.opening({"t": "9"})
    known, other = answer["catalog"]
    assert other["title"] == "Shakespeare, by letters"
    assert "trained here" in known["about"] and "trained here" in other["about"]
    assert (known["name"], known["title"], known["context"], known["foreign"]) == ("gpt2-stories", "Stories", 64, False)
    assert known["measured"]["bits_per_character"] == {"toy": 3.0} and known["parameters"] == 1234
    assert len(answer["faults"]) == 1 and answer["state"] == answer["defaults"]
