"""What the page fetches: its opening state, the games, and what its tools add."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from apps.gan_trainer import games, rules, state
from engines.gan.plane import presets
from gallery import visit


def opening(query: dict[str, str]) -> dict[str, Any]:
    """Everything the page needs to draw itself, in one answer."""
    cleaned, faults = state.parse(query)
    return {"state": cleaned, "faults": list(dict.fromkeys(faults)),
            "defaults": {key: field.default for key, field in state.all_fields().items()},
            "presets": {"recommended": rules.told(presets.RECOMMENDED), "plain": rules.told(rules.DEFAULT)}}


def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = visit.router(opening)
    for module in (games, *state.tool_modules()):
        if hasattr(module, "routes"):
            router.include_router(module.routes())
    return router
