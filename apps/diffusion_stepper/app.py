"""The page's wiring: an ES module draws everything and reads the runs by itself; Gradio carries the named endpoints."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter

from apps.diffusion_stepper import DEMO, catalogue, delivery, endpoints, foreign, state
from engines import diffusion, runtime
from engines.runtime import VisitorError
from gallery.bridges.gradio import answers, page

# The stage is drawn by assets/web/diffusion/page.js, before Gradio has started; here it is handed the server functions
# of the tools that have any. The address is made in the page, which alone knows the prefix it is served under.
LOAD = """
const base = document.documentElement.dataset.base || '';
import(base + '/assets/web/diffusion/stepper.js').then((module) => module.connect(server));
"""


def server_functions() -> list[Callable[..., Any]]:
    found = [function for module in state.tool_modules() if hasattr(module, "server_functions")
             for function in module.server_functions()]
    return [answers(function) for function in found]


def named_endpoints() -> list[tuple[Callable[..., Any], str]]:
    """What a program may ask, by name: the main jobs, and what the tools add."""
    found = endpoints.apis()
    for module in state.tool_modules():
        found += [(function, name) for function, name, *_ in module.apis()] if hasattr(module, "apis") else []
    return found


def build() -> gr.Blocks:
    with page(DEMO) as blocks:
        gr.HTML(value="", html_template="<span hidden></span>", js_on_load=LOAD, server_functions=server_functions())
        for function, name in named_endpoints():
            gr.api(function, api_name=name, api_description=inspect.getdoc(function), concurrency_limit=8)
    return blocks


def routes() -> APIRouter:
    return delivery.routes()


async def warm() -> None:
    """Awaited by the hub in the background, once the room is built: the first visitor's model is loaded ahead, and
    the Hub's library for the first who opens the shelf of other models."""
    await asyncio.to_thread(foreign.ELSEWHERE.shelf)
    try:
        await runtime.start(diffusion.sample, diffusion.Sample(catalogue.DEFAULT, steps=1), session="warm").aresult()
    except VisitorError:                # whoever asks will be told why
        return
