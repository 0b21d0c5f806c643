"""Models that did not come with the gallery: the ones it offers, the host's own, and any other of the Hub."""

from __future__ import annotations

from typing import Any

from engines.runtime import BadInput, hub


def is_foreign(name: str) -> bool:
    return hub.is_id(name) or hub.is_own(name)


def config(name: str) -> dict[str, Any]:
    raise BadInput(f"{name[:60]} cannot be shown here yet: choose a bundled model.")
