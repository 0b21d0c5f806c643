"""The page's wiring: an ES module draws everything and reads the games by itself; Gradio carries the named endpoints."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter

from apps.gan_trainer import DEMO, delivery, endpoints, state
from engines import runtime
from engines.gan import plane
from engines.runtime import VisitorError
from gallery.bridges.gradio import page


def named_endpoints() -> list[tuple[Callable[..., Any], str]]:
    """What a program may ask, by name: the main jobs, and what the tools add."""
    found = endpoints.apis()
    for module in state.tool_modules():
        found += module.apis() if hasattr(module, "apis") else []
    return found


def build() -> gr.Blocks:
    with page(DEMO) as blocks:
        for function, name in named_endpoints():
            gr.api(function, api_name=name, api_description=inspect.getdoc(function), concurrency_limit=8)
    return blocks


def routes() -> APIRouter:
    return delivery.routes()


async def warm() -> None:
    """Awaited by the hub in the background, once the room is built: the engine's code is loaded ahead."""
    try:
        await runtime.start(plane.play, plane.Play(until=1), session="warm").aresult()
    except VisitorError:                # whoever asks will be told why
        return
