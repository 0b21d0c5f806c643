"""The page's wiring: one HTML component whose ES module draws everything; Gradio carries questions to the model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter

from apps.latent_space_explorer import DEMO, atlas, delivery, endpoints, exact, state
from gallery.bridges.gradio import answers, page

# The stage is drawn by assets/web/latent/page.js, before Gradio has started; here it is handed Gradio's server
# functions. The address is made in the page, because only the page knows the prefix it is served under.
LOAD = """
const base = document.documentElement.dataset.base || '';
import(base + '/assets/web/latent/explorer.js').then((module) => module.connect(server));
"""


def server_functions() -> list[Callable[..., Any]]:
    found = exact.server_functions()
    for module in state.tool_modules():
        found += module.server_functions() if hasattr(module, "server_functions") else []
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
    """Awaited by the hub in the background, once the room is built."""
    await atlas.warm()
