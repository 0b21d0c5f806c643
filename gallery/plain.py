"""Stand-in pages until the real ones are hung."""

from __future__ import annotations

from html import escape

from engines import runtime


def hub(milestones, entries, state, *, query="", base=""):
    real = _real("hub")
    if real:
        return real(milestones, entries, state, query=query, base=base)
    doors = "".join(f'<li><a href="{base}/demo/{e.slug}/">{escape(e.title)}</a> {escape("; ".join(e.faults))}</li>' for e in entries)
    return f"<!doctype html><title>hub</title><h1>Generative AI, hands on</h1><ul>{doors}</ul>"


def _real(name):
    return None


def not_found(path, *, base="", entries=()):
    real = _real("not_found")
    return real(path, base=base, entries=entries) if real else "<h1>Not found</h1>"


def error_card_page(entry, *, base=""):
    real = _real("error_card_page")
    return real(entry, base=base) if real else f"<h1>Closed</h1>{escape('; '.join(entry.faults))}"


if not hasattr(runtime, "state"):
    from engines.runtime.state import EngineState
    runtime.state = lambda: EngineState(False, "none")
    runtime.configure = lambda **k: None
    runtime.warm = lambda: None
    runtime.stop = lambda: None
