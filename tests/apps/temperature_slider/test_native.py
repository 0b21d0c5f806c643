"""The tools that the script draws, without a browser; the engine's jobs are stood in for by frames made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from apps.temperature_slider import asked, sides, state
from engines import language
from engines.runtime import BadInput, ModelFault
from gallery.bridges import streamlit as bridge
from tests.apps.temperature_slider import test_view as made

SCRIPT = """
import streamlit as st
from apps.temperature_slider import native
st.session_state["told"] = native.draw(st.session_state["given"])
"""


class Engine:
    """Answers every job at once, and counts."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fault: Exception | None = None

    def frames(self, job: Any, params: Any) -> Iterator[Any]:
        self.asked.append(params)
        if self.fault is not None:
            raise self.fault
        yield {language.Compare: self.compared, language.Search: lambda _: made.searched(), language.Lens: lambda _: made.layers(),
               language.Score: lambda _: made.scored(), language.Tokens: lambda _: language.Vocabulary(made.PIECES, (0,), 0),
               language.Read: lambda _: language.Reading(np.asarray([0, 1, 3, 4], np.int32), 4, np.zeros(10, np.float16), 64),
               }[type(params)](params)

    def compared(self, params: language.Compare) -> language.Compared:
        return language.Compared(6, 6, tuple(made.row(each, ("a",) * params.samples) for each in params.temperatures))

    def count(self, kind: type) -> int:
        return sum(isinstance(each, kind) for each in self.asked)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine()
    monkeypatch.setattr(bridge, "frames", found.frames)
    asked._vocabulary.clear()
    return found


def page(**more: Any) -> AppTest:
    test = AppTest.from_string(SCRIPT, default_timeout=60)
    test.session_state["given"] = {**state.defaults(), **more}
    return test.run()


def said(test: AppTest) -> str:
    return next(each.proto.body for each in test.get("html") if "g-status" in each.proto.body)


@pytest.mark.parametrize("more, word", [({"tool": "sides"}, "Written just now"), ({"tool": "decoding"}, "Searched just now"),
                                        ({"tool": "bonnet", "read": "tokens"}, "a token"), ({"tool": "bonnet"}, "appears in layer 4 of 5"),
                                        ({"tool": "bonnet", "read": "surprise"}, "Perplexity 90")])
def test_every_tool_is_drawn_and_not_computed_again(engine: Engine, more: dict[str, str], word: str) -> None:
    test = page(**more)
    assert not test.exception and word in said(test)
    assert set(test.session_state["told"]) == set(asked.WIDGETS)
    before = len(engine.asked)
    test.run()
    assert len(engine.asked) == before and word in said(test) and not test.exception


def test_the_widgets_take_the_address_and_hand_back_what_they_hold(engine: Engine) -> None:
    test = page(tool="sides", temps=[0.0, 3.0], samples=3, len=20)
    assert engine.asked[-1].temperatures == (0.0, 3.0) and engine.asked[-1].samples == 3 and engine.asked[-1].count == 20
    test.text_input[0].set_value("0.5; 1, 1").run()
    assert test.session_state["told"]["temps"] == [0.5, 1.0] and engine.asked[-1].temperatures == (0.5, 1.0)
    test.session_state["given"] = {**state.defaults(), "tool": "sides", "temps": [2.0], "turn": 1}
    test.run()
    assert test.text_input[0].value == "2" and engine.asked[-1].temperatures == (2.0,)


def test_a_widget_keeps_its_value_while_another_tool_is_shown(engine: Engine) -> None:
    test = page(tool="decoding")
    test.slider[0].set_value(6).run()
    for tool in ("bonnet", "decoding"):
        test.session_state["given"] = {**state.defaults(), "tool": tool}
        test.run()
    assert test.slider[0].value == 6 and test.session_state["told"]["beams"] == 6


def test_what_does_not_concern_a_method_does_not_search_again(engine: Engine) -> None:
    test = page(tool="decoding")
    assert engine.count(language.Search) == 3
    test.slider[0].set_value(2).run()
    assert engine.count(language.Search) == 4 and engine.asked[-1].beams == 2


@pytest.mark.parametrize("text, word", [("", "No temperature"), ("warm", "no number"), ("9", "0 to 5"), ("nan", "0 to 5"),
                                        (",".join(["1"] * 9), "limit is 8")])
def test_temperatures_that_cannot_be_read(text: str, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        sides.temperatures(text)


def test_bad_temperatures_are_one_sentence_and_the_widgets_stay(engine: Engine) -> None:
    test = page(tool="sides")
    test.text_input[0].set_value("warm").run()
    assert not test.exception and "no number" in said(test) and len(test.slider) == 3
    assert test.session_state["told"]["temps"] == [0.1, 0.7, 1.0, 1.5, 2.0]


@pytest.mark.parametrize("tool", state.NATIVE)
@pytest.mark.parametrize("more, word", [({"prompt": "  "}, "only spaces"), ({"prompt": ""}, "empty"), ({"model": "nothing"}, "no language model")])
def test_bad_input_is_one_sentence(engine: Engine, tool: str, more: dict[str, str], word: str) -> None:
    test = page(tool=tool, **more)
    assert not test.exception and word in said(test) and "error" in said(test) and not engine.asked
    assert test.slider or test.get("button_group"), "the tool's controls stay"


@pytest.mark.parametrize("tool", state.NATIVE)
@pytest.mark.parametrize("fault, word", [(ModelFault("The model <b>broke</b>."), "&lt;b&gt;"), (ZeroDivisionError("secret"), "a fault on our side")])
def test_a_fault_is_one_sentence(engine: Engine, tool: str, fault: Exception, word: str) -> None:
    engine.fault = fault
    test = page(tool=tool)
    assert not test.exception and word in said(test) and "secret" not in said(test)


def test_values_that_no_page_would_send_become_the_defaults() -> None:
    given = asked.widgets({"temps": ["x"], "samples": "many", "method": "<script>", "beams": 99, "lp": None, "read": [], "text": "\0"})
    assert given == {key: state.FIELDS[key].default for key in asked.WIDGETS}
    assert asked.widgets({"temps": "0.5,1"})["temps"] == [0.5, 1.0]
