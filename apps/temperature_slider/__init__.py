"""Temperature slider: what a language model says of the next token, reshaped by a few numbers, drawn from, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery.demo import Demo, Scene

DEMO = Demo(
    title="Temperature slider",
    milestone="gpt2",
    sentence="Guess the next token, append it, repeat; how daring the guess is, is one number.",
    framework="streamlit",
    scenes=(
        Scene("Cold: it repeats itself", "Always the likeliest token. How long until it goes round in a circle?",
              {"tool": "write", "t": "0", "n": "120", "play": "1"}),
    ),
    tags=("text", "temperature", "sampling", "top-k", "top-p", "beam search", "logit lens", "perplexity"),
    engine="engines/language/__init__.py",
    models=("gpt2-stories",),
    thumbnail="apps.temperature_slider.thumbnail:make",
    module="language/page.js",
    words=("prompt", "text", "find"),
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.temperature_slider import state

    return state.parse(query)
