"""The contract of a demo: what one folder under apps/ tells the hub about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode


@dataclass(frozen=True)
class Scene:
    """Something worth seeing, as a URL.

    title: a few words for the button. look: one sentence, what to look for.
    query: the page's query string as a mapping; every value is a string, as in the URL.
    """

    title: str
    look: str
    query: dict[str, str] = field(default_factory=dict)

    def url(self) -> str:
        return "?" + urlencode(self.query)


@dataclass(frozen=True)
class Demo:
    """One demo. `apps/<folder>/__init__.py` holds `DEMO = Demo(...)` and imports nothing heavy.

    The slug is the folder's name with hyphens. `apps/<folder>/app.py` holds, for Gradio,
    `build() -> gr.Blocks`; for Streamlit it is the script itself, with a `main()`. Either may have
    `routes() -> fastapi.APIRouter` (mounted at /demo/<slug>/data) and `async def warm()`, awaited once it is built.
    `apps/<folder>/lesson.md` holds "How it works" to "Sources".
    thumbnail: "module:function", awaited by the hub as `await function(still: bool) -> bytes`, a WebP or PNG,
    transparent, 4:3, made by the real model; with `still` it does not move.
    engine: the file whose code the page shows, from the project's root.
    """

    title: str
    milestone: str                       # key in gallery.milestones, "" for a page that is not a milestone
    sentence: str
    framework: Literal["gradio", "streamlit"]
    scenes: tuple[Scene, ...] = ()
    tags: tuple[str, ...] = ()
    engine: str = ""
    models: tuple[str, ...] = ()         # bundled models it shows, names under assets/models
    thumbnail: str = ""
    module: str = ""                     # ES module under assets/web that draws the instrument; the page loads it, and the
                                         # style sheet of the same name, before the framework has started
    words: tuple[str, ...] = ()          # keys of the address that hold free text, where "<nan>" is a word like any other
