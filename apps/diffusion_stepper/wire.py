"""A run as bytes: what the hub sends while it goes on, and nothing that the page has no use for.

A stream is a row of records, each `length (uint32) · kind (uint8) · body`, little-endian; the length counts the
body. A step's body is `index (uint32) · t, alpha_bar, seconds (float32) · pictures`: x_t, the predicted noise and
the predicted clean picture of all N, uint8 (N, H, W, C) each, and where there are two branches the clean picture by
each of them. Everything else is JSON.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from engines import diffusion

TOLD, STEP = 0, 1                    # kinds of records
_RECORD = struct.Struct("<IB")
_STEP = struct.Struct("<I3f")


def told(event: str, **body: Any) -> bytes:
    """Something to be said: the run's name, its place in the queue, its end, or what went wrong."""
    text = json.dumps({"event": event, **body}, separators=(",", ":")).encode()
    return _RECORD.pack(len(text), TOLD) + text


def step(frame: diffusion.Step) -> bytes:
    pictures = [each.tobytes() for each in (frame.x_t, frame.eps, frame.x_0, frame.with_label, frame.without_label)]
    length = _STEP.size + sum(map(len, pictures))
    head = _RECORD.pack(length, STEP) + _STEP.pack(frame.index, frame.t, frame.alpha_bar, frame.seconds)
    return b"".join([head, *pictures])


def read(stream: bytes) -> list[tuple[int, bytes]]:
    """The records of a whole stream, for tests and programs: (kind, body)."""
    found, at = [], 0
    while at < len(stream):
        length, kind = _RECORD.unpack_from(stream, at)
        at += _RECORD.size
        found.append((kind, stream[at:at + length]))
        at += length
    return found


def read_step(body: bytes) -> tuple[int, float, float, float, bytes]:
    """index, t, alpha_bar, seconds, the pictures."""
    return *_STEP.unpack_from(body), body[_STEP.size:]
