"""Decoding: greedy, sampling and beam search from one prompt; the tree that was searched, and what each found."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from apps.temperature_slider import asked, beam_tree, view
from engines import language
from gallery.bridges import streamlit as bridge

NAMES = {"greedy": "Greedy", "sampling": "Sampling", "beam": "Beam search"}
ROUNDS = 16                      # tokens: a tree that can be looked over


def draw(ask: Callable[[], asked.Asked], held: dict[str, Any], line: asked.Line, controls: Any, picture: Any) -> None:
    with controls:
        _controls(held)
    question = ask()
    with picture, bridge.instrument():
        tree = st.empty()
        st.html(view.caption(view.TREE))
        table = st.empty()
    vocabulary = asked.vocabulary(question.model)
    found = {}
    for method in sorted(language.METHODS, key=lambda each: each != held["method"]):       # the chosen one first
        found[method] = _search(method, question, held, line)
        if method == held["method"]:
            with tree:
                _tree(found[method], vocabulary.pieces)
    rows = [(NAMES[method], *_best(found[method], vocabulary)) for method in language.METHODS]
    table.html(view.finds(rows, NAMES[held["method"]]) + view.caption(view.CONTRASTIVE))
    line.say(_sentence(question, found))


def _controls(held: dict[str, Any]) -> None:
    first, second, third = st.columns([40, 30, 30], gap="medium")
    with first, bridge.primary():
        key, start = asked.widget("method", held)
        held["method"] = st.segmented_control("Method, and its tree below", language.METHODS, default=start, key=key,
                                              format_func=NAMES.get, required=True)
    with second:
        key, start = asked.widget("beams", held)
        held["beams"] = st.slider("Beams: hypotheses kept in each round", 1, language.MAX_BEAMS, start, key=key)
    with third:
        key, start = asked.widget("lp", held)
        held["lp"] = st.slider("Length penalty: score is log p / length to this power", -5.0, 5.0, float(start), 0.1, key=key)


def order(method: str, question: asked.Asked, held: dict[str, Any]) -> language.Search:
    """What is asked of the engine; what does not concern a method does not make it search again."""
    beam = method == "beam"
    return language.Search(question.model, question.prompt, method, held["beams"] if beam else 1, ROUNDS,
                           held["lp"] if beam else 1.0, question.settings if method == "sampling" else language.Settings(),
                           question.seed if method == "sampling" else 0)


def _search(method: str, question: asked.Asked, held: dict[str, Any], line: asked.Line) -> language.Searched:
    def going(frame: language.Searched) -> None:
        line.progress(frame.done / max(1, frame.total), f"{NAMES[method]}, computed now: {frame.done} of {frame.total} rounds.")
    return asked.kept(f"search-{method}", language.search, order(method, question, held), going)


def _tree(found: language.Searched, pieces: tuple[bytes, ...]) -> None:
    asked.rolled("native-tree", beam_tree.svg(found, pieces), "nat-trunk", "The tree of the search", found.method)


def _best(found: language.Searched, vocabulary: language.Vocabulary) -> tuple[str, int, float, float]:
    """(text, tokens, log p, score) of the best hypothesis."""
    if not found.found:
        return "", 0, 0.0, 0.0
    tokens, logp, score = found.found[0]
    return view.written(tokens, vocabulary.pieces, vocabulary.special), len(tokens), float(logp), float(score)


def _sentence(question: asked.Asked, found: dict[str, language.Searched]) -> str:
    """Whether beam search found a likelier text than greedy, from the numbers."""
    logs = {method: each.found[0][1] for method, each in found.items() if each.found}
    said = f"Searched just now by {question.title}"
    if other := view.reshaped(question.settings):
        said += f" (sampling{other})"
    if not {"greedy", "beam"} <= logs.keys():
        return said + "."
    gain = logs["beam"] - logs["greedy"]
    if abs(gain) < 1e-4:
        return said + ": beam search found nothing likelier than greedy did here."
    if gain < 0:
        return said + (f": beam search chose by score, not by log p alone; its text is {_times(-gain)} times less likely "
                       "than the greedy one.")
    return said + f": beam search found a text {_times(gain)} times as likely as the greedy one."


def _times(nats: float) -> str:
    return view.number(math.exp(min(nats, 50.0)))
