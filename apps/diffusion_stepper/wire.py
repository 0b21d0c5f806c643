"""A run as bytes: what the hub sends while it goes on, and nothing that the page has no use for.

In the records of `gallery.streams`, a step's body is `index (uint32) · t, alpha_bar, seconds (float32) · pictures`: x_t, the
predicted noise and the predicted clean picture of all N, uint8 (N, H, W, C) each, and where there are two branches the
clean picture by each of them.
"""

from __future__ import annotations

import struct

from engines import diffusion
from gallery import streams

_STEP = struct.Struct("<I3f")


def step(frame: diffusion.Step) -> bytes:
    pictures = [each.tobytes() for each in (frame.x_t, frame.eps, frame.x_0, frame.with_label, frame.without_label)]
    return streams.record(_STEP.pack(frame.index, frame.t, frame.alpha_bar, frame.seconds), *pictures)


def read_step(body: bytes) -> tuple[int, float, float, float, bytes]:
    """index, t, alpha_bar, seconds, the pictures."""
    return *_STEP.unpack_from(body), body[_STEP.size:]
