"""What the page fetches: its opening state, the run's stream, the schedules' curves, and what its tools add."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from apps.diffusion_stepper import catalogue, classes, curves, foreign, runs, state
from gallery import elsewhere, visit
from gallery.charts import plotly_route


def opening(query: dict[str, str]) -> dict[str, Any]:
    """Everything the page needs to draw itself, in one answer."""
    cleaned, faults = state.parse(query)
    defaults = {"model": catalogue.DEFAULT, **{key: field.default for key, field in state.all_fields().items()}}
    return {"state": cleaned, "faults": list(dict.fromkeys(faults)),
            "catalog": catalogue.offered(cleaned["model"]), "defaults": defaults}


def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = visit.router(opening)
    for module in (runs, curves, classes, *state.tool_modules()):
        if hasattr(module, "routes"):
            router.include_router(module.routes())
    router.include_router(elsewhere.routes(foreign.ELSEWHERE))
    router.include_router(plotly_route())
    return router
