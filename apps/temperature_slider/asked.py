"""What the shell hands to the tools that the script draws, the line in which they speak, and the results they keep."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from apps.temperature_slider import catalogue, state
from engines import language
from engines.runtime import BadInput, Job
from gallery.bridges import streamlit as bridge

WIDGETS = ("temps", "samples", "len", "method", "beams", "lp", "read", "text")
PAINT_S = 0.25                   # between two paintings of a run that goes on
# st.html lets no SVG through and rolls nothing; a component hands the markup to the page as it was made.
BOX = """
export default function (component) {
  const { markup, look, label, name } = component.data;
  const host = component.parentElement;
  const box = host.firstElementChild ?? host.appendChild(document.createElement("div"));
  Object.assign(box, { className: look, tabIndex: 0, role: "region", ariaLabel: label });
  box.innerHTML = markup;
  if (box.dataset.held === name) return;
  box.dataset.held = name;
  const here = box.querySelector(".nat-here");
  box.scrollLeft = here ? here.offsetLeft + here.offsetWidth + 12 - box.clientWidth : 0;
}
"""
VOCABULARIES = 4                 # kept, of the last models read: 3 MB each for 50,257 tokens


@dataclass(frozen=True)
class Asked:
    """A tool's question: model and prompt as the shell holds them, what reshapes, and the seed."""

    model: str
    title: str
    prompt: str
    settings: language.Settings
    seed: int


def read(given: Mapping[str, Any]) -> Asked:
    """What is asked, from the shell's state. Raises BadInput or ModelFault."""
    name = str(given.get("model") or catalogue.DEFAULT)[:200]
    told = catalogue.told(name)
    prompt = given.get("prompt", state.PROMPT)
    language.check_text(prompt)
    settings = language.Settings(_number(given, "t"), int(_number(given, "k")), _number(given, "p"), _number(given, "minp"),
                                 _number(given, "typ"), _number(given, "rep"))
    return Asked(told["name"], told["title"], prompt, settings, int(_number(given, "seed")))


def _number(given: Mapping[str, Any], key: str) -> float:
    return state.FIELDS[key].read(str(given.get(key, state.FIELDS[key].default)))


def widgets(given: Mapping[str, Any]) -> dict[str, Any]:
    """The widgets' values in a state, each read as strictly as from an address. What one cannot be becomes its default: the
    shell has said so already."""
    found = {}
    for key in WIDGETS:
        field, value = state.FIELDS[key], given.get(key)
        found[key] = field.default
        if value not in (None, ""):
            try:
                found[key] = field.read(",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
            except BadInput:
                continue
    return found


class Line:
    """The page's status line: made once in a run of the script, and spoken through as often as there is something to say."""

    def __init__(self) -> None:
        with st.container(key="status"):
            self._spot = st.empty()
        self._spoken = 0.0

    def say(self, sentence: str, kind: str = "") -> None:
        sentence = sentence[:1].upper() + sentence[1:]
        self._spot.html(f'<p class="g-status" role="status" aria-live="polite" data-kind="{html.escape(kind)}">{html.escape(sentence)}</p>')

    def progress(self, share: float, sentence: str) -> bool:
        """Say how far a run is; True when it is time to paint, at most every PAINT_S."""
        now = time.monotonic()
        if now - self._spoken < PAINT_S:
            return False
        self._spoken = now
        self._spot.html(f'<p class="g-status" role="status" aria-live="off" data-kind="busy">{html.escape(sentence)}</p>'
                        f'<progress class="nat-progress" max="1" value="{min(1.0, max(0.0, share)):.3f}" aria-label="{html.escape(sentence)}"></progress>')
        return True


def kept(place: str, job: Job, params: Any, going: Callable[[Any], None] | None = None) -> Any:
    """The last frame of a job; the one kept from before where nothing else is asked. Raises VisitorError.

    place: one result is kept for each, in this visitor's session. going: told every frame on the way.
    """
    results = st.session_state.setdefault("results", {})
    if place in results and results[place][0] == params:
        return results[place][1]
    frame = None
    for frame in bridge.frames(job, params):
        if going is not None:
            going(frame)
    if frame is None:
        raise BadInput("The model gave no answer: try again.")
    results[place] = (params, frame)
    return frame


@st.cache_resource(max_entries=VOCABULARIES, show_spinner=False)
def _vocabulary(model: str) -> language.Vocabulary:
    return bridge.last(language.vocabulary, language.Tokens(model))


def vocabulary(model: str) -> language.Vocabulary:
    """The pieces of a model's tokens, kept for all visitors. Raises VisitorError."""
    return _vocabulary(model)


def widget(name: str, held: dict[str, Any], start: Any = None) -> tuple[str, Any]:
    """(the key of a widget, what it starts with: the value held, or as it shows it); a new turn of the shell is a new widget.

    What it starts with stays the same while it is drawn, or the framework would take it for another. It is not put into the
    session's state instead: a run of the script that is broken off would not tell the page.
    """
    key = f"native-{name}-{held['turn']}"
    starts = st.session_state.setdefault("starts", {})
    if key not in st.session_state:
        starts[name] = held[name] if start is None else start
    return key, starts[name]


def rolled(key: str, markup: str, look: str, label: str, name: str) -> None:
    """Markup that may be wider than the page, every token in it escaped, in a box that rolls. look: the box's class.

    What is marked "nat-here" is rolled into sight when `name` is another than before; without a mark the box begins anew.
    """
    box = st.components.v2.component("temperature_slider_box", js=BOX, isolate_styles=False)
    box(key=key, data={"markup": markup, "look": look, "label": label, "name": name})


def chart(figure: Any, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config={"displayModeBar": False, "displaylogo": False})


def dark() -> bool:
    return st.context.theme.type == "dark"
