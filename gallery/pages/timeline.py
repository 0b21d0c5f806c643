"""The hub: ten milestones on two rows, what exists as a door, what does not yet as an empty frame, and a label for each.

Server-rendered and readable without a script; hub.js adds search as you type, arrow keys, the lineage and the badge.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gallery import look
from gallery.pages import icons
from gallery.pages.frame import KEPT, theme_button

if TYPE_CHECKING:
    from gallery.catalog import Entry
    from gallery.milestones import Milestone

TITLE = "Generative AI, hands on"
SUBTITLE = "Ten ideas between 2013 and 2022. Every open door leads to a model you can move."


def hub(milestones: Sequence[Milestone], entries: Sequence[Entry], state: dict[str, Any], *,
        query: str = "", base: str = "") -> str:
    """The whole page. state: what /health says; query: what is searched for, as in ?q=."""
    by_milestone = {entry.milestone: entry for entry in reversed(entries) if entry.milestone}
    others = [entry for entry in entries if by_milestone.get(entry.milestone) is not entry]
    words = _words(query)
    doors = "".join(_door(m, by_milestone.get(m.key), milestones, words, base) for m in milestones)
    labels = "".join(_label(m, by_milestone.get(m.key), milestones, words, base) for m in milestones)
    return (f'<!doctype html><html lang="en" data-base="{base}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{TITLE}</title>'
            f'<meta name="description" content="{SUBTITLE}"><script>{look.head_script()}</script>'
            f'<style>{style()}</style><style id="faces" media="not all">{faces(base)}</style>'
            f'<link rel="icon" href="{base}/assets/web/favicon.svg" type="image/svg+xml">'
            f'<script type="module" src="{base}/assets/web/hub.js"></script></head><body>'
            f'<a class="skip" href="#wall">Skip to the doors</a>{_top(state, query, base)}'
            f'<main><p class="found" id="found" role="status">{_found(milestones, by_milestone, others, words, query)}</p>'
            f'<div class="hang"><ol class="wall" id="wall">{doors}</ol>'
            f'<p class="caption" id="caption" aria-hidden="true"></p></div>{_others(others, words, base)}'
            f'<section class="labels" aria-labelledby="labels-h"><h2 id="labels-h">The labels</h2>'
            f'<p class="lead">Each idea answered something that the ones before it left open.</p>{labels}</section></main>'
            f'{_foot(base)}</body></html>')


@functools.lru_cache(maxsize=1)
def style() -> str:
    """Everything the first paint needs, in one piece: tokens, the hub's own rules."""
    return _packed(_sheet("tokens.css"), look.without_script(), _sheet("hub.css"))


@functools.lru_cache(maxsize=4)
def faces(base: str) -> str:
    """The typefaces, for the second paint: first.js lets them in."""
    return _packed(_sheet("fonts.css")).replace('url("fonts/', f'url("{base}/assets/web/fonts/')


def _sheet(name: str) -> str:
    return (look.WEB / name).read_text(encoding="utf-8")


def _packed(*sheets: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", "\n".join(sheets), flags=re.S)
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", css)).strip()


def _top(state: dict[str, Any], query: str, base: str) -> str:
    return (f'<header class="top"><div class="name"><h1>{TITLE}</h1><p>{SUBTITLE}</p></div>'
            f'<div class="tools"><form role="search" action="{base}/" class="find">{icons.SEARCH}'
            f'<input id="q" name="q" type="search" value="{escape(query)}" placeholder="Find: noise, attention…" '
            f'aria-label="Find an idea" aria-describedby="found" autocomplete="off" spellcheck="false" maxlength="200">'
            f'<kbd aria-hidden="true">/</kbd></form>{_engine(state, base)}{theme_button()}</div></header>')


def _engine(state: dict[str, Any], base: str) -> str:
    """Device and memory: a badge that unfolds into what is loaded. hub.js keeps it current."""
    rows = "".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts(state))
    return (f'<details class="engine" id="engine" data-state="{"ready" if state.get("ready") else "busy"}">'
            f'<summary><i aria-hidden="true"></i><span>{escape(summary(state))}</span></summary><div class="panel">'
            f'<table><caption>The engine</caption><tbody>{rows}</tbody></table>'
            f'<a href="{base}/demo/lab-book/">Open the lab book</a></div></details>')


def summary(state: dict[str, Any]) -> str:
    if not state.get("ready"):
        return "engine starting"
    count = len(state.get("models") or ())
    loaded = f"{count} model{'' if count == 1 else 's'} loaded" if count else "no model loaded yet"
    return f"{str(state.get('device') or 'CPU').upper()} · {loaded}"


def facts(state: dict[str, Any]) -> list[tuple[str, str]]:
    """What the badge unfolds into: (name, value) pairs."""
    models = state.get("models") or ()
    used = sum(model.get("bytes", 0) for model in models)
    budget = (state.get("engine") or {}).get("budget_bytes") or 0
    runs = state.get("runs") or {}
    told = [("device", str(state.get("device_name") or state.get("device") or "not known yet")),
            ("models in memory", f"{used / 2**20:.1f} MB" + (f" of {budget / 2**20:,.0f} MB allowed" if budget else "")),
            ("runs", f"{runs.get('running', 0)} running, {runs.get('queued', 0)} waiting")]
    return told + [(model["name"], f"{model.get('bytes', 0) / 2**20:.1f} MB") for model in models]


# --- a door, and its label -------------------------------------------------------------------------------------------

def _door(m: Milestone, entry: Entry | None, milestones: Sequence[Milestone], words: list[str], base: str) -> str:
    text = _text(m, entry)
    works = entry is not None and entry.works
    kind = "open" if works else "closed" if entry else "soon"
    address = f"{base}/demo/{entry.slug}/" if entry else f"#label-{m.key}"
    title = entry.title if entry else m.title
    sentence = entry.demo.sentence if entry and entry.demo else m.sentence
    return (f'<li class="door {kind}" id="{m.key}" style="--a:var(--{m.accent})" data-text="{escape(text)}" '
            f'data-before="{" ".join(m.before)}" data-name="{escape(m.name)}" data-answers="{escape(m.answers)}"'
            f'{"" if _matches(text, words) else " hidden"}>'
            f'<a class="go" href="{address}"><span class="year">{m.year}<b>{escape(m.name)}</b></span>{_frame(m, entry, base)}'
            f'<span class="title">{escape(title)}</span></a>'
            f'<p>{escape(sentence)}</p></li>')


def _frame(m: Milestone, entry: Entry | None, base: str) -> str:
    if entry is None:
        return '<span class="frame"><span class="note">in preparation</span></span>'
    if not entry.works:
        fault = entry.faults[0] if entry.faults else "it could not be opened"
        return f'<span class="frame"><span class="note"><b>closed for repair</b>{escape(fault[:120])}</span></span>'
    at = f"{base}/demo/{entry.slug}/thumbnail.webp"
    picture = (f'<img src="{at}?still=1" data-still="{at}?still=1" data-moving="{at}?still=0" width="320" height="240" '
               f'loading="lazy" decoding="async" alt="">' if entry.demo and entry.demo.thumbnail else "")
    return f'<span class="frame">{picture}</span>'


def _label(m: Milestone, entry: Entry | None, milestones: Sequence[Milestone], words: list[str], base: str) -> str:
    """The text beside a picture: what it answered, what it left open, the paper."""
    names = {other.key: other.name for other in milestones}
    before = _list(f'<a href="#label-{key}">{escape(names[key])}</a>' for key in m.before if key in names)
    after = _list(f'<a href="#label-{other.key}">{escape(other.name)}</a>' for other in milestones if m.key in other.before)
    papers = "".join(f'<li><a href="{escape(url)}" rel="noreferrer">{escape(title)}</a>{escape(who)}</li>' for title, who, url in
                     [(m.paper_title, f", {m.authors}, {m.venue}", m.url), *((title, "", url) for title, url in m.also)])
    scenes = "".join(f'<li><a href="{base}/demo/{entry.slug}/{escape(scene.url())}">{escape(scene.title)}</a></li>'
                     for scene in (entry.demo.scenes if entry and entry.works and entry.demo else ()))
    tags = "".join(f'<li><a href="{base}/?q={quote(tag)}">{escape(tag)}</a></li>' for tag in _tags(m, entry))
    rows = [("Answered" + (f" {before}" if before else ""), escape(m.answers)), ("Left open", escape(m.limitation)),
            ("Led to" + (f" {after}" if after else ""), escape(m.led_to))]
    told = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    door = (f'<a class="enter" href="{base}/demo/{entry.slug}/">Open: {escape(entry.title)}</a>' if entry and entry.works
            else '<span class="soon-note">in preparation</span>' if entry is None else
            f'<span class="soon-note">closed for repair: {escape("; ".join(entry.faults))}</span>')
    return (f'<article class="label" id="label-{m.key}" style="--a:var(--{m.accent})" data-for="{m.key}"'
            f'{"" if _matches(_text(m, entry), words) else " hidden"}>'
            f'<header><span class="year">{m.year}</span><h3>{escape(m.name)}</h3>{door}</header><div class="say">'
            f'<p class="one">{escape(m.sentence)}</p><dl>{told}</dl>'
            + (f'<h4>Try</h4><ul class="chips">{scenes}</ul>' if scenes else "")
            + f'<h4>{"Papers" if m.also else "Paper"}</h4><ul class="papers">{papers}</ul>'
            + (f'<ul class="tags" aria-label="Tags">{tags}</ul>' if tags else "") + "</div></article>")


def _others(others: Iterable[Entry], words: list[str], base: str) -> str:
    """Rooms that are no milestone: the lab book; and any demo that says too little of itself to be hung."""
    cards = []
    for entry in others:
        text = _normal(" ".join([entry.title, entry.slug, entry.demo.sentence if entry.demo else "",
                                 *(entry.demo.tags if entry.demo else ())]))
        hidden = "" if _matches(text, words) else " hidden"
        if entry.works and entry.demo:
            cards.append(f'<li class="other" data-text="{escape(text)}"{hidden}><a class="go" href="{base}/demo/{entry.slug}/">'
                         f"{escape(entry.title)}</a><p>{escape(entry.demo.sentence)}</p></li>")
        else:
            faults = escape("; ".join(entry.faults))
            cards.append(f'<li class="other closed" data-text="{escape(text)}"{hidden}><a class="go" '
                         f'href="{base}/demo/{entry.slug}/">{escape(entry.title)}</a><p><b>Closed for repair:</b> {faults}</p></li>')
    return f'<ul class="others" aria-label="Other rooms">{"".join(cards)}</ul>' if cards else ""


def _foot(base: str) -> str:
    return (f'<footer class="foot"><a href="{base}/demo/lab-book/">Lab book</a><a href="{base}/licences">Licences</a>'
            f'<span>{KEPT} The gallery is under the MIT licence.</span></footer>')


# --- search ----------------------------------------------------------------------------------------------------------

GREEK = {"β": "beta", "μ": "mu", "σ": "sigma", "ε": "eps", "·": " ", "-": " "}


def _normal(text: str) -> str:
    for sign, word in GREEK.items():
        text = text.replace(sign, word)
    return re.sub(r"\s+", " ", text.lower()).strip()


def _words(query: str) -> list[str]:
    return _normal(query).split()


def _matches(text: str, words: list[str]) -> bool:
    """Each word has to begin some word of the text: "temp" finds "temperature", "art" does not find "heart"."""
    return all(f" {word}" in f" {text}" for word in words)


def _tags(m: Milestone, entry: Entry | None) -> list[str]:
    return list(dict.fromkeys([*(entry.demo.tags if entry and entry.demo else ()), *m.tags]))


def _text(m: Milestone, entry: Entry | None) -> str:
    """All that a search looks through for one milestone."""
    said = [str(m.year), m.name, m.title, m.sentence, m.answers, m.limitation, m.led_to, m.paper_title, m.authors, *_tags(m, entry)]
    if entry and entry.demo:
        said += [entry.title, entry.demo.sentence, *(f"{scene.title} {scene.look}" for scene in entry.demo.scenes)]
    return _normal(re.sub(r"[^\w\s·-]", " ", " ".join(said)))


def _found(milestones: Sequence[Milestone], by_milestone: dict[str, Entry], others: Iterable[Entry], words: list[str], query: str) -> str:
    if not words:
        return ""
    count = sum(_matches(_text(m, by_milestone.get(m.key)), words) for m in milestones)
    return f"{count} of {len(milestones)} ideas for “{escape(query.strip())}”"


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)
