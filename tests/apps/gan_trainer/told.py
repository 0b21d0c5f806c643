"""What the tests of both games read of a stream."""

from __future__ import annotations

import http.client
import json
from typing import Any

from gallery import streams


def stream(answer: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was told, and the heads of the looks."""
    told, looks = [], []
    for kind, body in streams.read(answer):
        (looks if kind == streams.FRAME else told).append(head(body) if kind == streams.FRAME else json.loads(body))
    return told, looks


def head(body: bytes) -> dict[str, Any]:
    return streams.parted(body)[0]


def begun(place: str, path: str, **body: Any) -> tuple[http.client.HTTPConnection, Any, str]:
    """A game under way: its connection, its answer, its film."""
    line = http.client.HTTPConnection(place.removeprefix("http://"))
    line.request("POST", f"/{path}", json.dumps(body))
    answer = line.getresponse()
    length, _ = streams._RECORD.unpack(answer.read(streams._RECORD.size))
    return line, answer, json.loads(answer.read(length))["film"]
