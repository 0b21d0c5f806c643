"""The address: what it may say, and that everything else is told in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.diffusion_stepper import delivery, state


def test_nothing_said_is_the_default() -> None:
    found, faults = state.parse({})
    assert faults == []
    assert found["model"] == "ddpm-mnist" and found["steps"] == 50 and found["at"] is None


def test_everything_said_is_taken() -> None:
    found, faults = state.parse({"label": "2", "guidance": "4.5", "sampler": "dpm++", "steps": "20", "schedule": "cosine",
                                 "count": "9", "seed": "7", "at": "11", "play": "1", "both": "1"})
    assert faults == []
    assert (found["label"], found["guidance"], found["sampler"], found["steps"]) == (2, 4.5, "dpm++", 20)
    assert found["play"] is True and found["both"] is True and found["at"] == 11


@pytest.mark.parametrize("query, words", [
    ({"steps": "0"}, "1 to 1000"), ({"steps": "-1"}, "1 to 1000"), ({"steps": "1001"}, "1 to 1000"),
    ({"seed": "1" + "0" * 30}, "the seed is 1e+30"), ({"guidance": "nan"}, "guidance is nan"), ({"eta": "2"}, "eta"),
    ({"label": "99"}, "knows 3"), ({"at": "60"}, "run of 50"), ({"model": "nobody"}, "nobody"), ({"count": "17"}, "1 to 16"),
    ({"sampler": "magic"}, "ddpm, ddim"),
])
def test_what_cannot_be_is_said_and_the_default_stands(query: dict[str, str], words: str) -> None:
    found, faults = state.parse(query)
    assert any(words in fault for fault in faults)
    key = next(iter(query))
    assert str(found[key]) != query[key]


@given(st.dictionaries(st.sampled_from([*state.all_fields(), "model"]), st.text(max_size=40), max_size=5))
def test_no_address_is_an_accident(query: dict[str, str]) -> None:
    found, faults = state.parse(query)
    assert set(found) == {"model", *state.all_fields()}
    assert all(isinstance(fault, str) and fault for fault in faults)


def test_opening_holds_what_the_page_draws_itself_with() -> None:
    answer = delivery.opening({"steps": "0"})
    assert [config["name"] for config in answer["catalog"]] == ["ddpm-mnist"]
    assert answer["catalog"][0]["image"] == [8, 8, 1]
    assert len(answer["faults"]) == 1 and answer["state"]["steps"] == answer["defaults"]["steps"]
