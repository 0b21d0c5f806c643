"""The door's picture: a real game on the ring, from a heap in the middle to eight."""

from __future__ import annotations

import asyncio
import io

import numpy as np
from PIL import Image, ImageDraw

from engines import runtime
from engines.gan import plane

SIZE = (320, 240)
SCALE = 2                            # drawn larger and averaged down, for smooth edges
REAL, FAKE = (60, 118, 196), (190, 62, 58)      # read on light and on dark
STEPS, EVERY, SEED = 3000, 150, 1
FRAME_MS, REST_MS = 110, 1800


async def make(still: bool) -> bytes:
    """An animated WebP of 320 x 240 on nothing; with `still` a single picture. Raises VisitorError."""
    params = plane.Play(plane.Shape("ring"), plane.Rules(), SEED, STEPS, every=EVERY)
    real = await runtime.start(plane.real, params.shape, session="thumbnail").aresult()
    looks = [look async for look in runtime.start(plane.play, params, session="thumbnail")]
    return await asyncio.to_thread(draw, real.points, [look.samples for look in (looks[-1:] if still else looks)])


def draw(real: np.ndarray, states: list[np.ndarray]) -> bytes:
    """real, states: float32 (N, 2) -> WebP; where there are several they rest at the end and play again."""
    frames = []
    for samples in states[-1:] + states[:-1]:    # what was learned first: it also stands where nothing plays
        frame = Image.new("RGBA", (SIZE[0] * SCALE, SIZE[1] * SCALE))
        pen = ImageDraw.Draw(frame)
        for points, colour, r in ((real[:500], (*REAL, 150), 3), (samples, (*FAKE, 230), 4)):
            for x, y in _pixels(points):
                pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        frames.append(frame.resize(SIZE, Image.Resampling.BOX))
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=len(frames) > 1, append_images=frames[1:], loop=0, quality=40, method=4,
                   duration=[REST_MS] + [FRAME_MS] * (len(frames) - 1) if len(frames) > 1 else 0)
    return out.getvalue()


def _pixels(points: np.ndarray) -> np.ndarray:
    unit = SIZE[1] * SCALE / (2 * 1.25)
    middle = np.array([SIZE[0], SIZE[1]]) * SCALE / 2
    return middle + np.clip(points, -3, 3) * unit * np.array([1, -1])
