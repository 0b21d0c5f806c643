"""What the page fetches: its opening state, codes, atlases and test pictures, as compact as they go.

Everything here is the same for every visitor, so the browser may keep it; the address carries the
state of the files (`v`), which makes it safe to keep for long.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from apps.latent_space_explorer import catalogue, codes, state, view
from apps.latent_space_explorer.atlas import atlases, layout
from engines.runtime import BadInput, VisitorError
from engines.runtime import models as model_files
from gallery import visit

LONG = {"Cache-Control": "public, max-age=86400"}
BINARY = "application/octet-stream"
NUMBER = re.compile("[0-9]{1,7}")
MOST_PICTURES = 64                   # test pictures in one strip


def version(model: str) -> str:
    """Changes whenever the model's files do."""
    return format((model_files.folder(model) / codes.CODES).stat().st_mtime_ns, "x")


def facts(model: str) -> dict[str, Any]:
    grid = layout(model)
    return {**catalogue.facts(model), "version": version(model),
            "atlas": {"rows": grid.rows, "columns": grid.columns, "extent": grid.extent}}


def opening(query: dict[str, str]) -> dict[str, Any]:
    """Everything the page needs to draw itself, in one answer."""
    cleaned, faults = state.parse(query)
    fields = state.all_fields()
    answer = {"state": cleaned, "faults": faults, "catalog": catalogue.bundled(),
              "defaults": {"model": catalogue.DEFAULT, "compare": "", **{key: f.default for key, f in fields.items()}}}
    try:
        answer["facts"] = facts(cleaned["model"])
    except VisitorError as fault:
        answer["faults"] = [*faults, str(fault)]
    answer["faults"] = list(dict.fromkeys(answer["faults"]))
    return answer


@lru_cache(maxsize=4)
def tiles(dataset: str) -> bytes:
    """All pictures of a set on one sheet, as the map shows them. Raises BadInput where a map shows dots."""
    sheet = catalogue.tiles(dataset)
    if sheet is None:
        raise BadInput(f"The pictures of {dataset} stand on the map as dots: there is no sheet of them.")
    return view.tiles(catalogue.pictures(dataset).images, sheet["columns"], sheet["side"])


def _indices(text: str, n: int) -> list[int]:
    parts = text.split(",")
    if not 1 <= len(parts) <= MOST_PICTURES or not all(NUMBER.fullmatch(part) for part in parts):
        raise BadInput(f"Name 1 to {MOST_PICTURES} test pictures by their numbers, with commas between them.")
    indices = [int(part) for part in parts]
    if max(indices) >= n:
        raise BadInput(f"There is no test picture {max(indices)}; they are numbered 0 to {n - 1}.")
    return indices


def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = visit.router(opening)

    @router.get("/model/{model:path}")
    def _model(model: str) -> Response:
        return JSONResponse(facts(model), headers={"Cache-Control": "no-cache"})

    @router.get("/codes/{model:path}")
    def _codes(model: str) -> Response:
        return Response(catalogue.packed(codes.read(model).mu), media_type=BINARY, headers=LONG)

    @router.get("/logvar/{model:path}")
    def _logvar(model: str) -> Response:
        return Response(catalogue.packed(codes.read(model).logvar), media_type=BINARY, headers=LONG)

    @router.get("/labels/{dataset}")
    def _labels(dataset: str) -> Response:
        labels = catalogue.pictures(dataset).labels.astype(np.uint8)
        return Response(labels.tobytes(), media_type=BINARY, headers=LONG)

    @router.get("/pictures/{dataset}")
    def _pictures(dataset: str, i: str = "") -> Response:
        images = catalogue.pictures(dataset).images
        return Response(view.png(view.strip(images[_indices(i, len(images))])), media_type="image/png", headers=LONG)

    @router.get("/tiles/{dataset}")
    def _tiles(dataset: str) -> Response:
        return Response(tiles(dataset), media_type="image/webp", headers=LONG)

    @router.get("/atlas/{model:path}")
    async def _atlas(model: str) -> Response:
        body, kind = await atlases().get(model)
        return Response(body, media_type=kind, headers=LONG)

    for module in state.tool_modules():
        if hasattr(module, "routes"):
            router.include_router(module.routes())
    return router
