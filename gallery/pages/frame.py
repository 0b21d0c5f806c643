"""The frame around every demo: navigation, heading, scenes, lesson, models. Server-rendered, the same for both frameworks.

A framework's own HTML document is completed on its way out (`Framed`), so that the words of a page stand on the
screen before the framework has started, and a visitor cannot tell where one framework ends.
Pure functions of a Demo; imports neither gradio nor streamlit.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers

from gallery import milestones
from gallery.demo import Demo, Scene
from gallery.pages import icons, reading
from gallery.static import compressed

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(r'^(?:import|export)\b[^;(]*?["\'](\.[^"\']+)["\'];?', re.M)
Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """Where a page stands: its slug and demo, the prefix of every address ("" or "/gallery"), and the next open room:
    its slug and its name."""

    slug: str
    demo: Demo
    base: str = ""
    onward: tuple[str, str] | None = None

    @property
    def milestone(self) -> milestones.Milestone | None:
        return milestones.by_key(self.demo.milestone)

    @property
    def folder(self) -> Path:
        return ROOT / "apps" / self.slug.replace("-", "_")

    @property
    def address(self) -> str:
        return f"{self.base}/demo/{self.slug}"

    @property
    def accent(self) -> str:
        return self.milestone.accent if self.milestone else "house"


def head_html(base: str, *, title: str, description: str = "", style: str = "") -> str:
    """What every page of the gallery has in its <head>: the theme before the first paint, tokens, fonts, icon."""
    web = f"{base}/assets/web"
    fonts = "".join(f'<link rel="preload" href="{web}/fonts/{name}.woff2" as="font" type="font/woff2" crossorigin>'
                    for name in ("inter-latin", "source-serif-4-latin"))
    summary = f'<meta name="description" content="{escape(description)}">' if description else ""
    return (f'<title>{escape(title)}</title>{summary}<script src="{web}/theme.js"></script>'
            f'<link rel="icon" href="{web}/favicon.svg" type="image/svg+xml">{fonts}'
            f'<link rel="stylesheet" href="{web}/fonts.css"><link rel="stylesheet" href="{web}/tokens.css">{style}')


def demo_head_html(place: Place) -> str:
    return head_html(place.base, title=f"{place.demo.title} · Generative AI, hands on", description=place.demo.sentence,
                     style=page_style(place.base, place.accent) + fitting_html(place) + module_html(place))


def fitting_html(place: Place) -> str:
    """Streamlit takes the whole window and a theme of its own: these make it a part of a page, in the page's theme."""
    if place.demo.framework != "streamlit":
        return ""
    stem = f"{place.base}/assets/web/streamlit"
    return f'<link rel="stylesheet" href="{stem}.css"><script src="{stem}.js"></script>'


def module_html(place: Place) -> str:
    """The demo's own module and style sheet, early: its instrument need not wait for the framework."""
    if not place.demo.module:
        return ""
    stem = escape(f"{place.base}/assets/web/{place.demo.module.removesuffix('.js')}")
    ahead = "".join(f'<link rel="modulepreload" href="{escape(f"{place.base}/assets/web/{name}")}">'
                    for name in imported(place.demo.module))
    return f'<link rel="stylesheet" href="{stem}.css">{ahead}<script type="module" src="{stem}.js"></script>'


@functools.lru_cache(maxsize=32)
def imported(module: str) -> tuple[str, ...]:
    """The modules that a module under assets/web imports, and theirs: named in the document, they load at once
    instead of one after the other as each is read."""
    web, found, waiting = (ROOT / "assets" / "web").resolve(), [], [module]
    while waiting:
        path = web / waiting.pop()
        if not path.is_file():
            continue
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            target = (path.parent / name).resolve()
            if target.is_relative_to(web) and (relative := target.relative_to(web).as_posix()) not in (module, *found):
                found.append(relative)
                waiting.append(relative)
    return tuple(found)


def page_style(base: str, accent: str) -> str:
    """page.css, the page's accent (on :root, where a framework's own variables refer to it) and page.js."""
    return (f'<link rel="stylesheet" href="{base}/assets/web/page.css"><style>:root{{--a:var(--{accent})}}</style>'
            f'<script type="module" src="{base}/assets/web/page.js"></script>')


def nav_html(place: Place) -> str:
    """The bar at the top: back to the gallery, which milestone this is, what comes next, actions, theme, badge."""
    base, demo = place.base, place.demo
    name = place.milestone.name if place.milestone else demo.title
    onward = (f'<a class="g-next" href="{base}/demo/{place.onward[0]}/">next: {escape(place.onward[1])} {icons.RIGHT}</a>'
              if place.onward else "")
    code = (f'<a class="g-btn" href="{place.address}/code" title="The engine of this page: {escape(demo.engine)}">'
            f'{icons.CODE}<span>Code</span></a>' if demo.engine else "")
    present = (f'<button class="g-btn g-present" type="button" id="present" aria-pressed="false" title="The instrument alone, on '
               f'the whole screen, with its scenes">{icons.FILL}<span>Present</span></button>' if place.milestone else "")
    return (f'<a class="g-skip" href="#g-app">Skip to the instrument</a><nav class="g-nav" aria-label="Gallery">'
            f'<a class="g-back" href="{base}/">{icons.LEFT}<span>Gallery</span></a>'
            f'<b class="g-here">{escape(name)}</b>{onward}'
            f'<span class="g-actions" id="actions"></span>'
            f'<button class="g-btn" type="button" id="copy-link">{icons.LINK}<span>Copy link</span></button>{code}{present}'
            f'{theme_button()}{badge_html(base)}</nav>')


def theme_button() -> str:
    return (f'<button class="g-btn g-theme" type="button" data-theme-toggle aria-label="Switch between light and dark" '
            f'title="Light or dark">{icons.SUN}{icons.MOON}</button>')


def badge_html(base: str) -> str:
    """The device badge; page.js and hub.js fill it from /health. Until then it is as wide as "ready · CPU", whole and
    where the bar is narrow, so that nothing beside it moves."""
    return (f'<a class="g-badge" id="badge" href="{base}/demo/lab-book/" data-state="unknown">'
            f'<i aria-hidden="true"></i><span><span>engine&nbsp;&nbsp;</span>···</span></a>')


def header_html(demo: Demo) -> str:
    """Year, name and one sentence."""
    milestone = milestones.by_key(demo.milestone)
    year = f'<span class="g-year">{milestone.year}</span>' if milestone else ""
    return (f'<header class="g-head">{year}<h1>{escape(demo.title)}</h1><p>{escape(demo.sentence)}</p></header>')


def opening_html(demo: Demo) -> str:
    """Words for the time until Streamlit has drawn something (streamlit.css takes them away then); a Gradio room's own
    stage says that it is opening."""
    title = escape(demo.title.lower())
    return f'<p class="g-opening" role="status">Opening the {title} …</p>' if demo.framework == "streamlit" else ""


def scenes_html(scenes: tuple[Scene, ...]) -> str:
    """ "Try this": one card a scene. Each is a plain link, so it works without a script and can be copied."""
    if not scenes:
        return ""
    cards = "".join(f'<a class="g-scene" href="{escape(scene.url())}" title="{escape(scene.look)}" data-scene="{escape(json.dumps(scene.query))}">'
                    f'<b>{escape(scene.title)}</b><small style="--chars: {len(scene.look)}">{escape(scene.look)}</small></a>' for scene in scenes)
    return f'<section class="g-scenes" aria-label="Try this"><h2>Try this</h2><div class="g-row">{cards}</div></section>'


def lesson_html(place: Place) -> str:
    """How it works, from the demo's lesson.md, and what is known of its models."""
    path = place.folder / "lesson.md"
    lesson = reading.markdown(path.read_text(encoding="utf-8")) if path.is_file() else ""
    cards = reading.models_html(place.demo.models, place.address)
    return f'<article class="g-lesson" id="lesson">{lesson}{cards}</article>' if lesson or cards else ""


# What holds in every room: in some, a visitor may have a model fetched.
KEPT = ("Everything here is computed by the gallery’s own machine and your browser. What you type or draw goes nowhere else; "
        "the Hugging Face Hub is asked only for a model that somebody chooses from it.")


def footer_html(base: str) -> str:
    return (f'<footer class="g-foot"><a href="{base}/">Gallery</a><a href="{base}/demo/lab-book/">Lab book</a>'
            f'<a href="{base}/licences">Licences</a>'
            f'<span>{KEPT}</span></footer>')


# Where Gradio begins. A room with a module of its own has it begin once its instrument stands (page.js): at once they would
# wait for each other, and the visitor for both.
ENTRY = re.compile(r'<script type="module" crossorigin src="(\./assets/index-[^"]+)"></script>')


def compose(document: str, place: Place) -> str:
    """A framework's document with the frame around it. The framework's own element keeps its place in <body>."""
    document = re.sub(r"<title>.*?</title>", "", document, count=1, flags=re.S)
    document = re.sub(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>', "", document)      # other people's addresses
    document = re.sub(r'<link rel="(?:manifest|shortcut icon)"[^>]*>', "", document)
    document = re.sub(r'<link\s+rel="preload"[^>]*as="font"[^>]*>', "", document)           # the framework's; the page has its own
    if place.demo.module:
        document = ENTRY.sub(r'<meta name="framework" content="\1">', document, count=1)
    document = document.replace("<html", f'<html data-base="{place.base}" data-slug="{place.slug}" '
                                f'data-framework="{place.demo.framework}"', 1)
    document = document.replace("<head>", f"<head>{demo_head_html(place)}", 1)
    above = (nav_html(place) + "<main>" + header_html(place.demo)
             + '<div id="g-app" tabindex="-1">' + opening_html(place.demo))
    below = "</div>" + scenes_html(place.demo.scenes) + lesson_html(place) + "</main>" + footer_html(place.base)
    document = re.sub(r"<body[^>]*>", f'<body class="g-page">{above}', document, count=1, flags=re.S)
    return document.replace("</body>", f"{below}</body>", 1)


class Framed:
    """ASGI: completes the HTML documents of `app` with the frame of the place they belong to, and serves
    `code` and `card/<model>` beside them.

    find: the Place of a request, or None to let it pass untouched.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], find: Callable[[Scope], Place | None]) -> None:
        self.app, self.find = app, find

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
        place = self.find(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if place is None:
            await self.app(scope, receive, send)
            return
        below = scope["path"].partition(f"/demo/{place.slug}/")[2]
        page = reading.page_below(below, place.demo)
        if page is not None:
            await _send_html(send, page_html(place, *page), Headers(scope=scope))
            return
        if below and not any(name == b"accept" and b"text/html" in value for name, value in scope["headers"]):
            await self.app(scope, receive, send)              # a script, a picture, an answer: not a page
            return
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, _completing(send, place, Headers(scope=scope)))


def page_html(place: Place, title: str, body: str) -> str:
    """A page of reading inside a demo's frame: the engine's code, a model's card."""
    head = head_html(place.base, title=f"{title} · {place.demo.title}", style=page_style(place.base, place.accent))
    return (f'<!doctype html><html lang="en" data-base="{place.base}" data-slug="{place.slug}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f'<body class="g-page g-plain"><nav class="g-nav" aria-label="Gallery">'
            f'<a class="g-back" href="{place.address}/">{icons.LEFT}<span>{escape(place.demo.title)}</span></a>'
            f'<span class="g-actions"></span>{theme_button()}{badge_html(place.base)}</nav>'
            f'<main class="g-lesson" id="g-app">{body}</main>{footer_html(place.base)}</body></html>')


def _completing(send: Send, place: Place, asked: Headers) -> Send:
    """Holds an HTML document back until it is whole, completes it and sends it; everything else passes through."""
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def forward(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
            if kind.startswith(b"text/html"):
                start.update(message)
                return
            await send(message)
        elif message["type"] == "http.response.body" and start:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                text = compose(b"".join(parts).decode("utf-8"), place)
                await _send_html(send, text, asked, start["status"])
        else:
            await send(message)
    return forward


async def _send_html(send: Send, text: str, asked: Headers, status: int = 200) -> None:
    body, encoding = compressed(text.encode("utf-8"), asked)
    headers = {"content-type": "text/html; charset=utf-8", "content-length": str(len(body)), "cache-control": "no-cache", **encoding}
    await send({"type": "http.response.start", "status": status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": body})
