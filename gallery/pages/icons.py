"""The few signs used in buttons: 16-pixel line drawings in the colour of the text, hidden from screen readers."""

from __future__ import annotations


def _icon(body: str, name: str) -> str:
    return (f'<svg class="i i-{name}" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" '
            f'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{body}</svg>')


LEFT = _icon('<path d="M13 8H3m4-4L3 8l4 4"/>', "left")
RIGHT = _icon('<path d="M3 8h10M9 4l4 4-4 4"/>', "right")
LINK = _icon('<path d="M6.5 9.5l3-3M7 4.6l1.4-1.4a3 3 0 014.3 4.3L11.3 9M9 11.4l-1.4 1.4a3 3 0 01-4.3-4.3L4.7 7"/>', "link")
CODE = _icon('<path d="M5 4.5L1.5 8 5 11.5M11 4.5L14.5 8 11 11.5"/>', "code")
SUN = _icon('<circle cx="8" cy="8" r="2.8"/><path d="M8 1.4v1.4M8 13.2v1.4M1.4 8h1.4M13.2 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1'
            'M3.3 12.7l1-1M11.7 4.3l1-1"/>', "sun")
MOON = _icon('<path d="M13.2 9.6A5.6 5.6 0 016.4 2.8a5.6 5.6 0 106.8 6.8z"/>', "moon")
FILL = _icon('<path d="M2 5.5V2h3.5M10.5 2H14v3.5M14 10.5V14h-3.5M5.5 14H2v-3.5"/>', "fill")
SEARCH = _icon('<circle cx="7" cy="7" r="4.2"/><path d="M10.2 10.2L14 14"/>', "search")
PAPER = _icon('<path d="M4 1.8h5.2L12.2 5v9.2H4zM9 2v3.2h3"/>', "paper")
