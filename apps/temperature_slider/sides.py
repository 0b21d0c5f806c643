"""Side by side: one prompt, several temperatures, several texts of each, and what can be measured of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from apps.temperature_slider import asked, charts, state, view
from engines import language
from engines.runtime import BadInput
from gallery.bridges import streamlit as bridge


def draw(ask: Callable[[], asked.Asked], held: dict[str, Any], line: asked.Line, controls: Any, picture: Any) -> None:
    with controls:
        chosen = _controls(held)
    question = ask()
    with picture, bridge.instrument():
        texts, curves = st.empty(), st.container(key="native-curves")
    params = language.Compare(question.model, question.prompt, tuple(held["temps"]), held["samples"], held["len"],
                              question.settings, question.seed)

    def going(frame: language.Compared) -> None:
        if line.progress(frame.done / max(1, frame.total), f"Writing {held['samples'] * len(held['temps'])} texts now: "
                         f"{frame.done:,} of {frame.total:,} tokens."):
            texts.html(view.columns(frame.rows, chosen, going=True))

    found = asked.kept("sides", language.compare, params, going)
    texts.html(view.columns(found.rows, chosen))
    with curves:
        for column, (key, *_) in zip(st.columns(len(charts.CURVES), gap="small"), charts.CURVES, strict=True):
            with column:
                st.html(charts.curve_head(key))
                asked.chart(charts.curve(found.rows, key, asked.dark()), f"curve-{key}", charts.curve_alt(found.rows, key))
    line.say(f"Written just now by {question.title}{view.reshaped(question.settings, temperature=False)}. {view.ends(found.rows)}")


def _controls(held: dict[str, Any]) -> int:
    """The widgets in one row; which of the texts is to be shown. Raises BadInput for temperatures that cannot be read; what
    was held stays."""
    first, second, third, last = st.columns([31, 23, 23, 23], gap="medium")
    with second:
        held["samples"] = _slider("Texts at each temperature", "samples", held, 1, 12)
    with third:
        held["len"] = _slider("Tokens of a text", "len", held, 5, 200)
    with last:
        chosen = _leaf(held["samples"])
    with first, bridge.primary():
        key, start = asked.widget("temps", held, ", ".join(f"{value:g}" for value in held["temps"]))
        given = st.text_input("Temperatures, 0 to 5, with commas between", start, key=key, max_chars=80)
    held["temps"] = temperatures(given)
    return chosen


def _slider(label: str, name: str, held: dict[str, Any], low: int, high: int) -> int:
    held[name] = min(high, max(low, held[name]))
    key, start = asked.widget(name, held)
    return st.slider(label, low, high, start, key=key)


def temperatures(text: str) -> list[float]:
    """The list as typed, without repetitions. Raises BadInput."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not parts:
        raise BadInput("No temperature is given: type 1 to 8 numbers from 0 to 5, with commas between.")
    return list(dict.fromkeys(state.FIELDS["temps"].read(",".join(parts))))


def _leaf(count: int) -> int:
    """Which of the texts is shown, the same place at every temperature: it was drawn with the same seed there."""
    if count < 2:
        return 0
    return st.slider("Text shown (same luck at each T)", 1, count, 1, key=f"native-leaf-{count}") - 1
