"""The gallery's own pages, as pure functions from what is known to HTML."""

from __future__ import annotations

from gallery.pages.message import error_card_page, not_found, render_message
from gallery.pages.timeline import hub

__all__ = ["error_card_page", "hub", "not_found", "render_message"]
