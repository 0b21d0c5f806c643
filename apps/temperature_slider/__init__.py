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
        Scene("Cold: it repeats itself", "Always the likeliest token. After which sentence does it only go round?",
              {"prompt": "Tom said", "tool": "write", "t": "0", "n": "120", "play": "1"}),
        Scene("Hot: it falls apart", "At T = 2 the unlikely is nearly as good as the likely. Which word is the last that fits?",
              {"tool": "write", "t": "2", "n": "60", "play": "1"}),
        Scene("Where creativity sits", "Between repeating and babbling: at which temperature would you read on?",
              {"tool": "sides", "temps": "0.1,0.7,1,1.5,2", "samples": "4", "len": "60"}),
        Scene("Top-p adapts, top-k does not", "Nine tenths take hundreds of tokens here; after “Once upon” one is enough.",
              {"prompt": "She opened the box and found a", "p": "0.9"}),
        Scene("One letter decides", "She wears it. Make the hat a cat: what becomes of “wear”?",
              {"prompt": "Lily had a hat. She liked to", "find": " wear"}),
        Scene("The answer appears in layer 5", "First it thinks of crayons and berries; then it looks back and finds the truck.",
              {"prompt": "Sam had a big red truck and a small blue", "tool": "bonnet", "read": "lens"}),
        Scene("A space too many", "One space at the end: no girl, no boy. See how the tokens begin.",
              {"prompt": "Once upon a time, there was a little "}),
        Scene("What beam search finds", "Far likelier than what greedy finds. Which of the two would you rather read?",
              {"prompt": "The dog saw a", "tool": "decoding", "method": "beam", "beams": "4"}),
    ),
    tags=("text", "temperature", "sampling", "top-k", "top-p", "beam search", "logit lens", "perplexity"),
    engine="engines/language/__init__.py",
    models=("gpt2-stories", "gpt2-shakespeare-char"),
    thumbnail="apps.temperature_slider.thumbnail:make",
    module="language/page.js",
    words=("prompt", "text", "find"),
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.temperature_slider import state

    return state.parse(query)
