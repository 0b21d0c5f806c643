"""The page's wiring: one HTML component whose ES module draws everything; Gradio carries questions to the model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter

from apps.latent_space_explorer import DEMO, delivery, endpoints, exact, state
from gallery.bridges.gradio import page

# The module's address is made in the page, because only the page knows the prefix it is served under.
LOAD = """
const base = document.documentElement.dataset.base || '';
import(base + '/assets/web/latent/explorer.js').then(
  module => module.mount(element, {props, trigger, watch, server, upload: typeof upload === 'undefined' ? null : upload}));
"""
STAGE = """
<link rel="stylesheet" href="../../assets/web/latent/explorer.css">
<div class="lx" data-ready="false"></div>
"""


def server_functions() -> list[Callable[..., Any]]:
    found = exact.server_functions()
    for module in state.tool_modules():
        found += module.server_functions() if hasattr(module, "server_functions") else []
    return found


def build() -> gr.Blocks:
    with page(DEMO) as blocks:
        gr.HTML(value="", html_template=STAGE, js_on_load=LOAD, server_functions=server_functions(),
                apply_default_css=False, elem_classes=["latent-explorer"])
        for function, name in endpoints.apis():
            gr.api(function, api_name=name, api_description=inspect.getdoc(function), concurrency_limit=8)
    return blocks


def routes() -> APIRouter:
    return delivery.routes()
