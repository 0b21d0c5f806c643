"""Small folders of demos for the hub's tests: one that works, and one for each way of not working."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path

_numbers = itertools.count()

MANIFEST = '''from gallery.demo import Demo, Scene
DEMO = Demo(title={title!r}, milestone={milestone!r}, sentence={sentence!r}, framework={framework!r},
            thumbnail={thumbnail!r}, scenes=(Scene("One", "Look.", {{"n": "1"}}),))

def parse(query):
    n = query.get("n", "1")
    return {{"n": n}}, [] if n in ("1", "2") else [f"n is {{n[:20]}}; it may be 1 or 2."]
'''
GRADIO = '''import gradio as gr
from fastapi import APIRouter
from engines.runtime import BadInput, Busy

def build():
    with gr.Blocks() as blocks:
        given, back = gr.Textbox(), gr.Textbox()
        given.submit(lambda text: text[::-1], given, back, api_name="turn")
    return blocks

def routes():
    router = APIRouter()

    @router.get("/fine.json")
    def fine():
        return {"fine": True}

    @router.get("/bad")
    def bad():
        raise BadInput("n is 9; it may be 1 to 3: choose one of these.")

    @router.get("/busy")
    def busy():
        raise Busy("Two runs are ahead of yours.")

    @router.get("/broken")
    def broken():
        raise RuntimeError("a secret of the house")

    @router.post("/take")
    async def take():
        return {"taken": True}

    return router
'''
LESSON = "## How it works\n\nIt works.\n\n## Limits\n\nMany.\n\n## Sources\n\nhttps://example.org\n"


def manifest(**changes: str) -> str:
    return MANIFEST.format(**({"title": "A sound demo", "milestone": "", "sentence": "It turns words around.",
                               "framework": "gradio", "thumbnail": ""} | changes))


def apps_folder(place: Path, demos: Mapping[str, Mapping[str, str]]) -> Path:
    """A folder like apps/: name of a demo -> name of a file in it -> its text. Importable under a name of its own."""
    apps = place / f"apps_of_a_test_{next(_numbers)}"
    apps.mkdir(parents=True)
    (apps / "__init__.py").write_text("")
    for demo, files in demos.items():
        folder = apps / demo
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    return apps


def sound(**changes: str) -> dict[str, str]:
    return {"__init__.py": manifest(**changes), "app.py": GRADIO, "lesson.md": LESSON}


PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")
THUMBNAIL = f'''CALLS = []

async def make(still):
    CALLS.append(still)
    return bytes.fromhex("{PNG.hex()}")

async def none(still):
    raise RuntimeError("no picture today")

def not_async(still):
    return b""
'''
