"""Side by side: one prompt, several temperatures, several texts of each, and what can be measured of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from apps.temperature_slider import asked, charts, state, view
from engines import language
from engines.runtime import BadInput
from gallery.bridges import streamlit as bridge


def draw(question: asked.Asked, held: dict[str, Any], line: asked.Line, controls: Any, picture: Any) -> None:
    with controls:
        _controls(held)
    with picture, bridge.instrument():
        leaf, texts, curves = st.container(), st.empty(), st.container(key="native-curves")
    params = language.Compare(question.model, question.prompt, tuple(held["temps"]), held["samples"], held["len"],
                              question.settings, question.seed)

    def going(frame: language.Compared) -> None:
        if line.progress(frame.done / max(1, frame.total), f"Writing {held['samples'] * len(held['temps'])} texts now: "
                         f"{frame.done:,} of {frame.total:,} tokens."):
            texts.html(view.columns(frame.rows, 0, going=True))

    found = asked.kept("sides", language.compare, params, going)
    with leaf:
        chosen = _leaf(max(len(row.texts) for row in found.rows))
    texts.html(view.columns(found.rows, chosen))
    with curves:
        for column, (key, *_) in zip(st.columns(len(charts.CURVES), gap="small"), charts.CURVES, strict=True):
            with column:
                asked.chart(charts.curve(found.rows, key, asked.dark()), f"curve-{key}", charts.curve_alt(found.rows, key))
    line.say(f"Written just now by {question.title}. {view.ends(found.rows)}")


def _controls(held: dict[str, Any]) -> None:
    """The widgets in one row. Raises BadInput for temperatures that cannot be read; what was held stays."""
    first, second, third = st.columns([44, 28, 28], gap="medium")
    with second:
        held["samples"] = st.slider("Texts at each", 1, 12, key=_within("samples", held, 12))
    with third:
        held["len"] = st.slider("Tokens of a text", 5, 200, key=_within("len", held, 200, 5))
    with first, bridge.primary():
        text = ", ".join(f"{value:g}" for value in held["temps"])
        key = f"native-temps-{held['turn']}"
        st.session_state.setdefault(key, text)
        given = st.text_input("Temperatures, 0 to 5, with commas between", key=key, max_chars=80)
    held["temps"] = temperatures(given)


def _within(name: str, held: dict[str, Any], high: int, low: int = 1) -> str:
    held[name] = min(high, max(low, held[name]))
    return asked.widget(name, held)


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
    if st.session_state.get("native-leaf", 0) >= count:
        st.session_state["native-leaf"] = 0
    st.session_state.setdefault("native-leaf", 0)
    return st.segmented_control("Text, drawn with the same luck at every temperature", range(count), key="native-leaf", required=True,
                                format_func=lambda index: str(index + 1))
