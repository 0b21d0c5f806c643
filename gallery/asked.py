"""What a page asks one of a room's own routes: JSON, read with care, and who asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from engines.runtime import BadInput

MAX_BODY = 512 * 1024                # bytes: a colour picture of 256 x 256 in base64 and its mask, or a long text
NOT_UNDERSTOOD = "The page asked in a form that is not understood: reload it and try again."


class Gone(BadInput):
    """What was asked for is not kept any more; the page may begin it anew. Answered with 410 and {"gone": true}."""


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises BadInput."""
    parts, total = [], 0
    async for part in request.stream():
        total += len(part)
        if total > MAX_BODY:
            raise BadInput(f"The request holds more than {MAX_BODY // 1024} kB: reload the page and try again.")
        parts.append(part)
    try:
        asked = json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise BadInput(NOT_UNDERSTOOD) from None
    if not isinstance(asked, dict):
        raise BadInput(NOT_UNDERSTOOD)
    return asked


def session(asked: Mapping[str, Any]) -> str:
    """The page's name, by which the runtime counts its runs."""
    return str(asked.get("session", ""))[:64] or "visitor"
