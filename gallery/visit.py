"""Where a visit to a room's page begins and ends: the opening state, and word that the visitor has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from engines import runtime


def router(opening: Callable[[dict[str, str]], dict[str, Any]]) -> APIRouter:
    """opening: query string -> everything that the page needs to draw itself, in one answer. Other routes may be added."""
    made = APIRouter()

    @made.get("/opening")
    def _opening(request: Request) -> Response:
        return JSONResponse(opening(dict(request.query_params)), headers={"Cache-Control": "no-store"})

    @made.post("/leave")
    async def _leave(session: str = "") -> Response:
        if session:
            runtime.leave(session[:64])
        return Response(status_code=204)
    return made
