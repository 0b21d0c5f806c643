"""A page with one thing to say: an address that leads nowhere, a demo closed for repair."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gallery.pages import icons
from gallery.pages.frame import badge_html, footer_html, head_html, page_style, theme_button

if TYPE_CHECKING:
    from gallery.catalog import Entry


def render_message(title: str, body: str, *, base: str = "") -> str:
    """title: plain text. body: HTML. The page stands in the gallery's frame."""
    head = head_html(base, title=f"{title} · Generative AI, hands on", style=page_style(base, "house"))
    return (f'<!doctype html><html lang="en" data-base="{base}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f'<body class="g-page"><nav class="g-nav" aria-label="Gallery">'
            f'<a class="g-back" href="{base}/">{icons.LEFT}<span>Gallery</span></a><span class="g-actions"></span>'
            f'{theme_button()}{badge_html(base)}</nav>'
            f'<main class="g-message" id="g-app"><div class="g-empty" aria-hidden="true"></div>'
            f"<h1>{escape(title)}</h1>{body}</main>{footer_html(base)}</body></html>")


def not_found(path: str, *, base: str = "", entries: tuple[Entry, ...] | list[Entry] = ()) -> str:
    """The page for an address that leads nowhere, with the doors that do."""
    doors = "".join(f'<li><a href="{base}/demo/{escape(entry.slug)}/">{escape(entry.title)}</a></li>'
                    for entry in entries if entry.works)
    listed = f"<p>These doors are open:</p><ul>{doors}</ul>" if doors else ""
    return render_message("Nothing hangs here", f"<p>There is no page at <code>{escape(path[:200])}</code>. "
                          f"It may have moved, or the address may be misspelt.</p>{listed}"
                          f'<p><a class="g-btn primary" href="{base}/">Back to the gallery</a></p>', base=base)


def error_card_page(entry: Entry, *, base: str = "") -> str:
    """The page of a demo that could not be opened: what is wrong, and that the rest goes on."""
    faults = "".join(f"<li>{escape(fault)}</li>" for fault in entry.faults)
    return render_message(f"{entry.title} is closed for repair",
                          f"<p>This demo could not be opened. The rest of the gallery goes on without it.</p>"
                          f'<ul class="g-faults">{faults}</ul>'
                          f"<p>Whoever runs this gallery can see more with <code>python -m gallery check</code>.</p>"
                          f'<p><a class="g-btn primary" href="{base}/">Back to the gallery</a></p>', base=base)
