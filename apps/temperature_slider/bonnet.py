"""Under the bonnet: the prompt as tokens, the residual stream read layer by layer, the surprise of a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from apps.temperature_slider import asked, charts, state, view
from engines import language
from gallery.bridges import streamlit as bridge

READINGS = {"tokens": "Tokens", "lens": "Logit lens", "surprise": "Surprise"}


def draw(ask: Callable[[], asked.Asked], held: dict[str, Any], line: asked.Line, controls: Any, picture: Any) -> None:
    with controls, bridge.primary():
        key, start = asked.widget("read", held)
        held["read"] = st.segmented_control("What is read", list(READINGS), default=start, key=key, format_func=READINGS.get,
                                            required=True, label_visibility="collapsed")
    question = ask()
    with picture:
        {"tokens": _tokens, "lens": _lens, "surprise": _surprise}[held["read"]](question, held, line)


def _tokens(question: asked.Asked, held: dict[str, Any], line: asked.Line) -> None:
    with bridge.instrument():
        spot = st.empty()
    line.say("Cutting the prompt into tokens now.", "busy")
    vocabulary = asked.vocabulary(question.model)
    reading = asked.kept("read", language.read, language.Read(question.model, question.prompt))
    ids = [int(token) for token in reading.ids]
    spot.html(view.chips(ids, vocabulary.pieces, vocabulary.special)
              + view.chips_caption(view.begins(0, ids[0], vocabulary.special), vocabulary.pieces))
    line.say(view.counted(question.prompt, ids, vocabulary.pieces, vocabulary.special))


def _lens(question: asked.Asked, held: dict[str, Any], line: asked.Line) -> None:
    line.say("Reading the residual stream after every layer now.", "busy")
    vocabulary = asked.vocabulary(question.model)
    layers = asked.kept("lens", language.lens, language.Lens(question.model, question.prompt))
    left, right = st.columns([68, 32], gap="medium")
    with right:
        place = _place(layers, vocabulary)
        asked.chart(charts.answer(layers, place, asked.dark()), "native-answer", charts.answer_alt(layers, place))
    with left, bridge.instrument():
        asked.rolled("native-lens", view.lens(layers, vocabulary.pieces, place, vocabulary.special), "nat-scroll nat-lens",
                     "Logit lens: the likeliest next token after each layer, at each place of the prompt", f"{hash(layers.ids.tobytes())}-{place}")
        st.html(view.caption(view.LENS))
    line.say(view.lens_sentence(layers, place, vocabulary.pieces))


def _place(layers: language.Layers, vocabulary: language.Vocabulary) -> int:
    """The place of the prompt whose answer is followed; the last one, until another is chosen."""
    places = len(layers.ids)
    if places == 1:
        return 0
    key = f"native-place-{hash(layers.ids.tobytes())}"
    return st.select_slider("After which token", range(places), places - 1, key=key,
                            format_func=lambda place: _named(place, int(layers.ids[place]), vocabulary))


def _named(place: int, token: int, vocabulary: language.Vocabulary) -> str:
    if view.begins(place, token, vocabulary.special):
        return view.START
    return f"{place + 1}: {view.shown(view.piece(vocabulary.pieces, token))}"


def _surprise(question: asked.Asked, held: dict[str, Any], line: asked.Line) -> None:
    left, right = st.columns([58, 42], gap="medium")
    with right:
        key, start = asked.widget("text", held)
        held["text"] = st.text_area("A text of your own", start, key=key, max_chars=state.WORDS, height=110)
        bars = st.empty()
    with left, bridge.instrument():
        spot = st.empty()
    line.say("Judging every token of the text now.", "busy")
    vocabulary = asked.vocabulary(question.model)
    scored = asked.kept("score", language.score, language.Score(question.model, held["text"]))
    spot.html(view.surprise(scored, vocabulary.pieces, vocabulary.special) + view.caption(view.SURPRISE))
    with bars:
        asked.chart(charts.bars(scored, vocabulary.pieces, asked.dark(), vocabulary.special), "native-bars", charts.bars_alt(scored))
    line.say(f"Judged just now by {question.title}. " + view.scored_sentence(scored, held["text"], vocabulary.pieces))
