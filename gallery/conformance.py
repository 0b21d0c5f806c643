"""What a demo promises, checked: every fault is one sentence, and all of them are listed at once."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engines.runtime import VisitorError
from engines.runtime import models as model_files
from gallery.demo import Demo
from gallery.milestones import by_key

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "gradio", "streamlit", "transformers", "diffusers", "plotly", "pandas")
SECTIONS = ("How it works", "Limits", "Sources")
MILESTONE_SECTIONS = ("What came next",)
LONG = "9" * 100_000                 # no value of an address is that long; every parser has to say so
NO_NUMBER = "<nan>"
IMPORT_SECONDS = 120                 # a manifest imports in 0.1 s; a busy machine is given time


def cheap_faults(demo: Demo, folder: Path) -> list[str]:
    """What the hub looks at on every start: the manifest and the page; nothing is imported."""
    return [*_manifest_faults(demo), *_file_faults(demo, folder)]


def all_faults(demo: Demo, folder: Path) -> list[str]:
    """Everything: the manifest, the files, the imports, the scenes, the limits, the lesson, the models. Seconds."""
    package = f"{folder.parent.name}.{folder.name}"
    found: list[str] = []
    for faults in (cheap_faults(demo, folder), import_faults(package, folder), _scene_faults(package, demo),
                   _lesson_faults(demo, folder), _thumbnail_faults(demo), _model_faults(demo)):
        found += faults
    return found


# --- the cheap part ----------------------------------------------------------------------------------------------

def _manifest_faults(demo: Demo) -> Iterator[str]:
    for name, most in (("title", 60), ("sentence", 200)):
        text = getattr(demo, name)
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= most:
            yield f"its {name} has {len(str(text).strip())} characters; it takes 1 to {most}"
    if demo.milestone and by_key(demo.milestone) is None:
        yield f"its milestone is {demo.milestone!r}, which gallery/milestones.py does not have"
    if demo.framework not in ("gradio", "streamlit"):
        yield f"its framework is {demo.framework!r}; it may be 'gradio' or 'streamlit'"
    titles = [scene.title for scene in demo.scenes]
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        yield f"two of its scenes are called {title!r}"
    for scene in demo.scenes:
        if not scene.title.strip() or not scene.look.strip():
            yield f"the scene {scene.title!r} needs a title and a sentence of what to look for"
        if not all(isinstance(part, str) for pair in scene.query.items() for part in pair):
            yield f"the scene {scene.title!r} has a value that is no string; an address holds strings"


def _file_faults(demo: Demo, folder: Path) -> Iterator[str]:
    for name in ("app.py", "lesson.md"):
        if not (folder / name).is_file():
            yield f"it has no {name}"
    if demo.engine and not (ROOT / demo.engine).is_file():
        yield f"its engine {demo.engine} is not there"
    for name in demo.models:
        place = model_files.bundled() / name
        for needed in ("config.json", "MODEL_CARD.md", "SHA256SUMS"):
            if not (place / needed).is_file():
                yield f"its model {name} has no {needed}"


# --- the rest ----------------------------------------------------------------------------------------------------

def import_faults(package: str, folder: Path) -> Iterator[str]:
    """In a process of its own: here the heavy libraries may be loaded already."""
    code = (f"import sys; sys.path.insert(0, sys.argv[1]); import {package}; "
            f"print(*[name for name in {HEAVY!r} if name in sys.modules])")
    try:
        answer = subprocess.run([sys.executable, "-c", code, str(folder.parents[1])], capture_output=True, text=True,
                                cwd=ROOT, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        yield f"importing {package} takes more than {IMPORT_SECONDS} s"
        return
    if answer.returncode:
        yield f"importing {package} fails: {answer.stderr.strip().splitlines()[-1]}"
    elif answer.stdout.strip():
        yield f"importing {package} also imports {answer.stdout.strip()}; that has to wait until the page is opened"


def _scene_faults(package: str, demo: Demo) -> Iterator[str]:
    parse = getattr(importlib.import_module(package), "parse", None)
    if parse is None:
        if demo.scenes:
            yield "it has scenes but no parse(query) to read their addresses"
        return
    for scene in demo.scenes:
        for complaint in _complaints(parse, scene.query):
            yield f"the scene {scene.title!r} is refused: {complaint}"
    for key in sorted({key for scene in demo.scenes for key in scene.query} | set(demo.words)):
        for value, what in ((LONG, f"a value of {len(LONG)} characters"), (NO_NUMBER, repr(NO_NUMBER))):
            if not _complaints(parse, {key: value}) and not (key in demo.words and value == NO_NUMBER):
                yield f"its address takes {what} for {key!r} without a word; a limit has to refuse it"


def _complaints(parse: Any, query: dict[str, str]) -> list[str]:
    """The sentences with which a demo's parser refuses; anything but a sentence is a defect, and said as one."""
    try:
        _, sentences = parse(query)
    except VisitorError as error:
        return [str(error)]
    except Exception as error:      # the fault of the demo under test, reported and not raised
        return [f"parse raised {type(error).__name__}: {error}"]
    return list(sentences)


def _lesson_faults(demo: Demo, folder: Path) -> Iterator[str]:
    lesson = folder / "lesson.md"
    if not lesson.is_file():
        return
    text = lesson.read_text(encoding="utf-8")
    headings = re.findall(r"^#+\s+(.*?)\s*$", text, flags=re.M)
    for section in SECTIONS + (MILESTONE_SECTIONS if demo.milestone else ()):
        if not any(section.lower() in heading.lower() for heading in headings):
            yield f"its lesson.md has no section {section!r}"
    if demo.milestone and "http" not in text:
        yield "its lesson.md links to no source"


def _thumbnail_faults(demo: Demo) -> Iterator[str]:
    if not demo.thumbnail:
        if demo.milestone:
            yield "it hangs on the timeline and has no thumbnail"
        return
    module, _, name = demo.thumbnail.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        yield f"its thumbnail {demo.thumbnail!r} cannot be imported: {error}"
        return
    if not inspect.iscoroutinefunction(function):
        yield f"its thumbnail {demo.thumbnail!r} has to be an async function"


def _model_faults(demo: Demo) -> Iterator[str]:
    for name in demo.models:
        if not (model_files.bundled() / name).is_dir():
            continue                # said once already
        try:
            model_files.check(model_files.folder(name))
        except VisitorError as error:
            yield f"its model {name} does not pass: {error}"
