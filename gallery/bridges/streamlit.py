"""Streamlit demos on the gallery: one `st.App` for all of them, and a job's frames inside a script.

There is one Streamlit runtime in a process. So one application is mounted at every Streamlit demo's address, and a
header that the hub sets on the way in tells the script whose page it is. The page's own base is thus the demo's
address, and its front end finds what it asks for at the first attempt.
"""

from __future__ import annotations

import html
import importlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engines import runtime
from engines.runtime import BadInput, Job, TimedOut, VisitorError
from gallery import limits, look
from gallery.catalog import Entry
from gallery.pages.frame import Framed, Place

log = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("streamlit_script.py")
WHOSE = "x-gallery-demo"            # the header that names the demo; one that comes from outside is dropped
LOOK_S = 0.25                       # how often a script that waits for a frame looks whether its visitor is still there
OPTIONS: dict[str, object] = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",       # else a shared module is imported a second time, and its models with it
    "runner.postScriptGC": False,           # else a full collection after every run stalls the other pages by 0.3 s
    "runner.magicEnabled": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",      # a visitor reads one sentence; the log holds the trace
    "client.showErrorLinks": False,
    "client.allowedOrigins": [],            # nobody outside may steer a page by messages
    "server.maxUploadSize": limits.UPLOAD_BYTES // 2**20,
    "server.maxMessageSize": 32,
    "server.disconnectedSessionTTL": limits.STREAMLIT_SESSION_SECONDS,
}


def build() -> st.App:
    """The one Streamlit application. Call once in a process; its lifespan has to be entered by the caller."""
    import pandas  # noqa: F401  whole, before a page is drawn: plotly breaks on one that another thread still imports
    import plotly.io
    plotly.io.templates.default = "plotly_white"     # Streamlit put its own there: black heatmaps in Gradio
    for option, value in (OPTIONS | look.streamlit_theme()).items():
        config.set_option(option, value)
    return st.App(str(SCRIPT))


def framed(app: st.App, places: Mapping[str, Place]) -> ASGIApp:
    """`app` with the gallery's frame around its document. places: a demo's package -> where its page stands."""
    _hand_back_logs()
    return Framed(app, lambda scope: places.get(_whose(scope)))


def _hand_back_logs() -> None:
    """Streamlit takes over the server's loggers, at its own level and with handlers of its own: undo that."""
    for name in ("uvicorn", "uvicorn.access", "uvicorn.asgi", "uvicorn.error", "websockets"):
        logger = logging.getLogger(name)
        handler = getattr(logger, "streamlit_console_handler", None)
        if handler is not None:
            logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.WARNING)


class Under:
    """The application as one demo: mounted at that demo's path, every request carrying the name of its package."""

    def __init__(self, entry: Entry, app: ASGIApp) -> None:
        self.entry, self.app = entry, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = WHOSE.encode()
        headers = [(key, value) for key, value in scope["headers"] if key != name] + [(name, self.entry.package.encode())]
        root = scope.get("root_path", "") + f"/demo/{self.entry.slug}"
        await self.app({**scope, "headers": headers, "root_path": root}, receive, send)


def _whose(scope: Scope) -> str:
    return next((value.decode() for key, value in scope["headers"] if key == WHOSE.encode()), "")


def show() -> None:
    """The body of the one script: the page of the demo whose address was asked for."""
    package = st.context.headers.get(WHOSE)
    if not package:
        st.error("There is no such demo here. The gallery's first page lists those there are.")
        return
    with told():
        importlib.import_module(f"{package}.app").main()


# --- inside a demo's script --------------------------------------------------------------------------------------

def session() -> str:
    """What the runtime counts a visitor's runs by: Streamlit's session, one for each open page."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else "alone"


@contextmanager
def told() -> Iterator[None]:
    """Shows what a visitor may be told as one sentence, and anything else as an apology; the log holds the trace."""
    try:
        yield
    except VisitorError as error:
        status(str(error), "error")
    except Exception:       # Streamlit steers by BaseException (stop, rerun): those pass through
        log.exception("a Streamlit page failed")
        status("That did not work: a fault on our side. It is in the log; please try something else.", "error")


def frames(job: Job, params: Any) -> Iterator[Any]:
    """The frames of a run. The run ends with the script: when the visitor leaves, or moves a control.

    Raises VisitorError.
    """
    run = runtime.start(job, params, session=session())
    try:
        yield from _attended(run)
    finally:
        run.cancel()            # nothing, once it has ended


def last(job: Job, params: Any) -> Any:
    """The last frame of a run, None if there was none; the run ends with the script. Raises VisitorError."""
    frame = None
    for frame in frames(job, params):
        pass
    return frame


def _attended(run: runtime.Run) -> Iterator[Any]:
    """The frames of a run; at each, and while none comes, Streamlit may end a script whose visitor has gone."""
    reader = iter(run)
    while True:
        try:
            frame = reader.take(time.monotonic() + LOOK_S)
        except StopIteration:
            return
        except TimedOut:
            if run.ended:       # it is the run that took too long
                raise
        else:
            yield frame
        if get_script_run_ctx(suppress_warning=True) is not None:
            "visitor" in st.session_state       # any look at it is a moment at which Streamlit ends a script


def query(parse: Callable[[dict[str, str]], Any], otherwise: Any) -> Any:
    """The page's address as the demo understands it; a bad one is said in one sentence, and `otherwise` is shown."""
    try:
        return parse(st.query_params.to_dict())
    except BadInput as error:
        status(str(error), "error")
        return otherwise


def instrument() -> Any:
    """The container of the main picture: `with instrument(): ...`."""
    return st.container(key="instrument")


def primary() -> Any:
    """The container of the main control."""
    return st.container(key="primary")


def status(sentence: str, kind: str = "") -> None:
    """What is happening, where a screen reader hears it. kind: "", "busy" or "error". Once in a page."""
    with st.container(key="status"):
        st.html(f'<p class="g-status" role="status" aria-live="polite" data-kind="{html.escape(kind)}">'
                f"{html.escape(sentence)}</p>")
