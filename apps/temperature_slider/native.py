"""The tools that Streamlit draws beneath the shell: several temperatures, decoding, and what is under the bonnet."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from apps.temperature_slider import asked, bonnet, decoding, sides
from engines.runtime import VisitorError

TOOLS = {"sides": sides.draw, "decoding": decoding.draw, "bonnet": bonnet.draw}
log = logging.getLogger(__name__)


def draw(state: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the tool state["tool"]; returns what its widgets, and those of the other two, are set to.

    Whatever goes wrong is one sentence in the status line, and the widgets stay.
    """
    held = _held(state)
    with st.container(key=f"native-{state['tool']}"):
        controls, line, picture = st.container(), asked.Line(), st.container()
        try:
            TOOLS[state["tool"]](partial(asked.read, state), held, line, controls, picture)
        except VisitorError as error:
            line.say(str(error), "error")
        except Exception:       # Streamlit steers by BaseException (stop, rerun): those pass through
            log.exception("a tool of the temperature slider failed")
            line.say("That did not work: a fault on our side. It is in the log; please try something else.", "error")
    return {name: held[name] for name in asked.WIDGETS}


def _held(state: Mapping[str, Any]) -> dict[str, Any]:
    """The widgets' values: the visitor's own, until the shell has turned to something else (a scene, Back)."""
    turn = state.get("turn", 0)
    held = st.session_state.get("held")
    if held is None or held["turn"] != turn:
        held = st.session_state["held"] = {**asked.widgets(state), "turn": turn}
    return held
