"""What the page fetches: its opening state, a model's vocabulary, the next token's logits, and texts as they are written."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from apps.temperature_slider import catalogue, foreign, state
from engines import language, runtime
from engines.runtime import BadInput, EngineLost, VisitorError
from gallery import elsewhere, streams, visit
from gallery.asked import read_body, session

VOCABULARIES = 8                 # kept packed, of the last models asked about: 0.4 MB each for 50,257 tokens

log = logging.getLogger(__name__)


def opening(query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the page needs to draw itself, in one answer."""
    cleaned, faults = state.parse(query)
    return {"state": cleaned, "faults": list(dict.fromkeys(faults)), "catalog": catalogue.offered(cleaned["model"]),
            "defaults": state.defaults()}


# --- what is asked -----------------------------------------------------------------------------------------------

def chosen(asked: Mapping[str, Any]) -> tuple[int, ...]:
    """The tokens after the text. Raises BadInput."""
    then = asked.get("then") or []
    if not isinstance(then, list):
        raise BadInput("The tokens after the text arrived in a form that is not understood: reload the page.")
    return tuple(then)


def model(asked: Mapping[str, Any]) -> str:
    """The model that is asked, which the host must allow. Raises BadInput or ModelFault."""
    return catalogue.told(str(asked.get("model") or catalogue.DEFAULT)[:200])["name"]


def settings(asked: Mapping[str, Any]) -> language.Settings:
    """Raises BadInput."""
    given = asked.get("settings") or {}
    known = language.Settings.__dataclass_fields__
    if not isinstance(given, dict) or not given.keys() <= known.keys():
        raise BadInput(f"The settings may be {', '.join(known)}: reload the page and try again.")
    return language.Settings(**given)


def order(asked: Mapping[str, Any]) -> language.Write:
    """Raises BadInput."""
    return language.Write(model(asked), asked.get("text", ""), settings(asked), asked.get("seed", 0),
                          asked.get("count", 60), chosen(asked))


# --- the next token ----------------------------------------------------------------------------------------------

def packed(reading: language.Reading) -> bytes:
    """uint32 length of the header, the header in JSON, padded so that the float16 logits begin at a multiple of 4."""
    header = json.dumps({"ids": reading.ids.tolist(), "prompt": reading.prompt, "context": reading.context,
                         "vocab": len(reading.logits)}).encode()
    header += b" " * (-len(header) % 4)
    return len(header).to_bytes(4, "little") + header + np.ascontiguousarray(reading.logits, "<f2").tobytes()


# --- the vocabulary ----------------------------------------------------------------------------------------------

@lru_cache(maxsize=VOCABULARIES)
def _told_vocabulary(name: str, held: language.Vocabulary) -> tuple[bytes, str]:
    body = json.dumps({"model": name, "tokens": [piece.decode("latin-1") for piece in held.pieces],
                       "special": list(held.special), "end": held.end}, ensure_ascii=False).encode()
    return gzip.compress(body, 6, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:20]}"'


async def vocabulary(request: Request) -> Response:
    """GET ?model=: every token as a string in which a character is a byte."""
    name = model(request.query_params)
    held = await runtime.start(language.vocabulary, language.Tokens(name), session="vocabulary").aresult()
    body, etag = await asyncio.to_thread(_told_vocabulary, name, held)
    headers = {"etag": etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(body), media_type="application/json", headers=headers)
    return Response(body, media_type="application/json", headers={**headers, "content-encoding": "gzip"})


# --- writing -----------------------------------------------------------------------------------------------------

def line(**body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def step(each: language.Step) -> list[Any]:
    """[id, p, q, u, low, entropy, kept, [[id, p, q], ...]], plain numbers."""
    return [int(each.id), float(each.p), float(each.q), float(each.u), float(each.low), float(each.entropy), int(each.kept),
            [[int(token), float(p), float(q)] for token, p, q in each.others]]


async def written(run: Any) -> AsyncIterator[bytes]:
    """The run as lines of JSON: what was written, and its status whenever there is nothing else to tell."""
    try:
        async for frame in streams.arriving(run):
            if frame is None:
                yield line(status=run.status.sentence)
            else:
                yield line(place=int(frame.place), steps=[step(each) for each in frame.steps], ended=frame.ended)
    except VisitorError as error:
        yield line(error=str(error), lost=isinstance(error, EngineLost))
    except Exception:
        log.exception("the stream of a text failed")
        yield line(error="Something went wrong on our side; it is in the log. Write it again.", lost=False)
    finally:
        run.cancel()                                  # nothing, once the run has ended


# --- the routes --------------------------------------------------------------------------------------------------

def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = visit.router(opening)
    router.add_api_route("/vocabulary", vocabulary, methods=["GET"])

    @router.post("/read")
    async def _read(request: Request) -> Response:
        asked = await read_body(request)
        params = language.Read(model(asked), asked.get("text", ""), chosen(asked))
        reading = await runtime.start(language.read, params, session=session(asked)).aresult()
        return Response(packed(reading), media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    @router.post("/write")
    async def _write(request: Request) -> StreamingResponse:
        asked = await read_body(request)
        run = runtime.start(language.write, order(asked), session=session(asked))
        return StreamingResponse(written(run), media_type="application/x-ndjson", headers=streams.LIVE)

    router.include_router(elsewhere.routes(foreign.ELSEWHERE))
    return router
