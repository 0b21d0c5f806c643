"""A run on its way to a page: one answer that lives exactly as long as the page reads it.

Its bytes are a row of records, each `length (uint32) · kind (uint8) · body`, little-endian; the length counts the body.
Kind TOLD is something to be said, as JSON; any other is the room's own, and so is its body. A body that begins with
`length (uint32) · JSON` is made by `headed`. When the tab closes the answer ends, and the run with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse

from engines.runtime import EngineLost, VisitorError

STATUS_EVERY_S = 0.5             # how often a page hears of its place in the queue, and one that has gone is noticed
BINARY = "application/octet-stream"
LIVE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
TOLD, FRAME = 0, 1               # kinds of records
_RECORD = struct.Struct("<IB")
_LENGTH = struct.Struct("<I")

log = logging.getLogger(__name__)


# --- records ------------------------------------------------------------------------------------------------------

def record(*parts: bytes, kind: int = FRAME) -> bytes:
    return b"".join([_RECORD.pack(sum(map(len, parts)), kind), *parts])


def told(event: str, **body: Any) -> bytes:
    """Something to be said: the run's name, its place in the queue, its end, or what went wrong."""
    return record(_json({"event": event, **body}), kind=TOLD)


def headed(head: dict[str, Any], *parts: bytes) -> bytes:
    """A record whose body begins with JSON."""
    text = _json(head)
    return record(_LENGTH.pack(len(text)), text, *parts)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def read(stream: bytes) -> list[tuple[int, bytes]]:
    """The records of a whole stream, for tests and programs: (kind, body)."""
    found, at = [], 0
    while at < len(stream):
        length, kind = _RECORD.unpack_from(stream, at)
        at += _RECORD.size
        found.append((kind, stream[at:at + length]))
        at += length
    return found


def parted(body: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON that a body begins with, and the rest."""
    length, = _LENGTH.unpack_from(body)
    return json.loads(body[_LENGTH.size:_LENGTH.size + length]), body[_LENGTH.size + length:]


# --- as they come -------------------------------------------------------------------------------------------------

async def arriving(run: Any) -> AsyncIterator[Any]:
    """The frames of a run, and None whenever none has come for STATUS_EVERY_S. The run ends with the reading."""
    frames = aiter(run)
    coming = asyncio.ensure_future(anext(frames, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=STATUS_EVERY_S)
            if not done:
                yield None
                continue
            frame = coming.result()
            if frame is None:
                return
            coming = asyncio.ensure_future(anext(frames, None))
            yield frame
    finally:
        coming.cancel()
        run.cancel()                                  # nothing, once the run has ended


def waiting(run: Any) -> bytes:
    """How a run stands, while it has no frame to show."""
    status = run.status
    return told("status", state=status.state, ahead=status.ahead, sentence=status.sentence)


async def to_the_end(records: AsyncIterator[bytes], where: Callable[[], dict[str, Any]], again: str) -> AsyncIterator[bytes]:
    """These records, and as the last one that it is the end, or what went wrong. where: told beside it; again: a remedy."""
    try:
        async with aclosing(records) as each:
            async for one in each:
                yield one
        yield told("end")
    except VisitorError as error:
        yield told("failed", error=str(error), lost=isinstance(error, EngineLost), **where())
    except Exception:
        log.exception("the stream of a run failed")
        yield told("failed", error=f"Something went wrong on our side; it is in the log. {again}", lost=False, **where())


def sent(run: Any, records: AsyncIterator[bytes]) -> StreamingResponse:
    async def stream() -> AsyncIterator[bytes]:
        try:
            async with aclosing(records) as each:
                async for one in each:
                    yield one
        finally:
            run.cancel()
    return StreamingResponse(stream(), media_type=BINARY, headers=LIVE)
