"""Plotly for pages that draw charts by themselves: its script, compressed once, from this gallery."""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache

from fastapi import APIRouter, Response


@lru_cache(maxsize=1)
def plotly_script() -> bytes:
    """plotly.js as it comes with the plotly package, compressed once (4.8 MB become 1.4)."""
    from plotly.offline import get_plotlyjs

    return gzip.compress(get_plotlyjs().encode(), 6)


def plotly_route() -> APIRouter:
    """GET /plotly.js"""
    router = APIRouter()

    @router.get("/plotly.js")
    async def _plotly() -> Response:
        return Response(await asyncio.to_thread(plotly_script), media_type="text/javascript",
                        headers={"Content-Encoding": "gzip", "Cache-Control": "public, max-age=86400"})

    return router
