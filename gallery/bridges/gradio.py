"""Gradio demos on the gallery: an empty page to build in, the mount, and a job's frames on their way to the screen."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from fastapi import FastAPI

from engines.runtime import VisitorError
from gallery import look
from gallery.demo import Demo
from gallery.limits import GRADIO_CACHE_SECONDS, GRADIO_QUEUE, GRADIO_SESSIONS, GRADIO_STATELESS_SESSIONS, UPLOAD_BYTES
from gallery.pages.frame import Framed, Place

log = logging.getLogger(__name__)


@contextmanager
def page(demo: Demo) -> Iterator[gr.Blocks]:
    """`with page(DEMO) as blocks:` and then the demo's own body: the frame around it comes by itself.

    Navigation, heading, scenes, lesson and models are put around it by `gallery.pages.frame` when it is mounted.
    """
    with gr.Blocks(title=demo.title, fill_width=True, analytics_enabled=False,
                   delete_cache=GRADIO_CACHE_SECONDS) as blocks:
        yield blocks
    blocks.queue(max_size=GRADIO_QUEUE, default_concurrency_limit=None)     # the runtime queues: a second queue adds delay


def mount(app: FastAPI, blocks: gr.Blocks, *, slug: str, demo: Demo, base: str = "") -> None:
    """Mount `blocks` at /demo/<slug> of `app`, in the gallery's look and inside the frame of its page."""
    path = f"/demo/{slug}"
    blocks.state_session_capacity = sessions_kept(blocks)
    gr.mount_gradio_app(app, blocks, path=path, root_path=f"{base}{path}", ssr_mode=False, run_history=False,
                        footer_links=["api"], enable_monitoring=False, max_file_size=UPLOAD_BYTES,
                        theme=look.gradio_theme(), css=look.gradio_css(), mcp_server=False)
    route = next(route for route in reversed(app.router.routes) if getattr(route, "path", "") == path)
    place = Place(slug, demo, base)
    route.app = Framed(route.app, lambda scope: place)


def sessions_kept(blocks: gr.Blocks) -> int:
    """How many visitors' sessions Gradio keeps. It is not told when a page closes: the least recently used go."""
    return GRADIO_SESSIONS if any(block.stateful for block in blocks.blocks.values()) else GRADIO_STATELESS_SESSIONS


def session(request: gr.Request | None) -> str:
    """What the runtime counts a visitor's runs by: Gradio's session, one for each open page."""
    return (getattr(request, "session_hash", None) or "nobody") if request else "nobody"


async def frames(run: Any, fps: float = 30.0) -> AsyncIterator[Any]:
    """The frames of a run, at most `fps` a second; those that nobody could have seen are left out, never the last.

    When the visitor leaves, Gradio closes the generator that loops over this one: the run is then cancelled. The
    `finally` runs on the server's event loop, so it does nothing but set that flag.
    """
    loop, pause, due = asyncio.get_running_loop(), 1.0 / fps, 0.0
    waiting, finished = None, False
    try:
        async for frame in run:
            now = loop.time()
            if now >= due:
                waiting, due = None, now + pause
                yield frame
            else:
                waiting = frame
        finished = True
        if waiting is not None:
            yield waiting
    finally:
        if not finished:
            run.cancel()


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """For `server_functions=[answers(exact)]`: what a visitor may be told comes back as {"error": sentence}.

    Anything else that is raised is logged whole and answered with one sentence that gives nothing away.
    """
    def told(error: Exception) -> dict[str, str]:
        if isinstance(error, VisitorError):
            return {"error": str(error)}
        log.exception("%s failed", function.__name__)
        return {"error": "That did not work: a fault on our side. It is in the log; please try something else."}

    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def answer(*args: Any, **named: Any) -> Any:
            try:
                return await function(*args, **named)
            except Exception as error:      # the page must go on whatever a function of the server does
                return told(error)
    else:
        @functools.wraps(function)
        def answer(*args: Any, **named: Any) -> Any:
            try:
                return function(*args, **named)
            except Exception as error:      # see above
                return told(error)
    return answer
