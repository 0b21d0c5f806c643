"""The page's wiring: the shell, an ES module, draws what must answer within a frame; what may take longer is drawn here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import streamlit as st
from fastapi import APIRouter, FastAPI

if __package__ in (None, ""):           # `streamlit run` of this file, which knows its folder and not the project's
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from apps.temperature_slider import catalogue, delivery, native, state
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
    shell = st.components.v2.component("temperature_slider", js=SHELL, isolate_styles=False)
    # Told once: what the visitor has changed in the shell since then must not be set back.
    answer = shell(key="shell", data={"native": st.session_state.pop("native", {})}, on_state_change=lambda: None)
    now = answer.state or state.parse(st.query_params.to_dict())[0]
    if now["tool"] in state.NATIVE:
        with bridge.told():
            _draw(now)


def _draw(now: dict[str, Any]) -> None:
    """The body of a tool that Streamlit draws. What its widgets are set to goes to the shell, and so into the address,
    where it is not what the shell holds already."""
    values = native.draw(now)
    turn, known = st.session_state.get("known", (None, {}))
    if turn != now.get("turn", 0):          # a scene, or Back: the shell holds what it handed over
        turn, known = now.get("turn", 0), {key: now.get(key) for key in values}
    st.session_state["known"] = turn, values
    if values != known:
        st.session_state["native"] = values
        st.rerun()


def routes() -> APIRouter:
    return delivery.routes()


async def warm() -> None:
    """Awaited by the hub in the background: the first visitor's model is loaded ahead."""
    try:
        await runtime.start(language.read, language.Read(catalogue.DEFAULT, state.PROMPT), session="warm").aresult()
    except VisitorError:                # whoever asks will be told why
        return


def __getattr__(name: str) -> FastAPI:
    """`streamlit run` of this file reads in its source that `application` is an ASGI application, and serves it: the
    gallery with this room alone, which the page needs for its data. It is made when it is asked for, not at import."""
    if name != "application":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gallery.server import create_app
    room = create_app(only="temperature-slider", engine="thread")
    application = FastAPI(openapi_url=None, lifespan=lambda app: room.router.lifespan_context(room))
    application.mount("/", room)
    return application


if __name__ == "__main__":
    main()
