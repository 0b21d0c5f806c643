"""The page's wiring: the shell, an ES module, draws what must answer within a frame; what may take longer is drawn here."""

from __future__ import annotations

import importlib.util
from typing import Any

import streamlit as st
from fastapi import APIRouter

from apps.temperature_slider import delivery, state
from engines import language, runtime
from engines.runtime import VisitorError
from gallery.bridges import streamlit as bridge

# A relative import fails in the module that Streamlit makes of this text, so the address is made whole, with the prefix
# under which the page is served. The line break keeps the text from being taken for the path of a file.
SHELL = """
export default function (component) {
  const base = document.documentElement.dataset.base || "";
  const there = import(new URL(`${base}/assets/web/language/shell.js`, location.origin).href);
  there.then((shell) => shell.mount(component));
}
"""


def main() -> None:
    opening, _ = state.parse(st.query_params.to_dict())
    shell = st.components.v2.component("temperature_slider", js=SHELL, isolate_styles=False)
    native = st.session_state.get("native", {})
    told = shell(key="shell", data={"native": native}, on_state_change=lambda: None)
    now = {**opening, **(told.state or {})}
    if now["tool"] in state.NATIVE:
        _native(now, native)


def _native(now: dict[str, Any], before: dict[str, Any]) -> None:
    """The body of a tool that Streamlit draws; what its widgets are set to goes back to the shell, and so into the address."""
    if importlib.util.find_spec("apps.temperature_slider.native") is None:
        bridge.status("This tool is not here yet.", "error")
        return
    from apps.temperature_slider import native
    with bridge.told():
        values = native.draw(now)
        if values != before:
            st.session_state["native"] = values
            st.rerun()


def routes() -> APIRouter:
    return delivery.routes()


async def warm() -> None:
    """Awaited by the hub in the background: the first visitor's model is loaded ahead."""
    try:
        await runtime.start(language.read, language.Read(delivery.catalogue.DEFAULT, state.PROMPT), session="warm").aresult()
    except VisitorError:                # whoever asks will be told why
        return


if __name__ == "__main__":
    main()
