"""The door's picture: twelve pictures come out of static and go back into it, made by the real model."""

from __future__ import annotations

import asyncio
import io

import numpy as np
from PIL import Image, ImageDraw

from apps.diffusion_stepper import catalogue
from engines import diffusion, runtime

SIZE = (320, 240)
COLUMNS, ROWS = 4, 3
GAP, CORNER = 8, 8                   # pixels between the pictures, radius of their corners
STEPS, SEED = 16, 12
FRAME_MS, REST_MS = 120, 1800
STILL = 13                           # step shown where nothing may move: half static, half picture


async def make(still: bool) -> bytes:
    """An animated WebP of 320 x 240 on nothing; with `still` a single picture. Raises VisitorError."""
    count = COLUMNS * ROWS
    classes = len(catalogue.config(catalogue.DEFAULT).get("classes") or [])
    labels = tuple(index % classes for index in range(count)) if classes else (diffusion.NO_LABEL,)
    params = diffusion.Sample(catalogue.DEFAULT, labels, guidance=2.0, steps=STEPS, count=count, seed=SEED)
    states = [frame.x_t async for frame in runtime.start(diffusion.sample, params, session="thumbnail")]
    return await asyncio.to_thread(draw, states[STILL:STILL + 1] if still else states)


def draw(states: list[np.ndarray]) -> bytes:
    """states: uint8 (12, H, W, C) each -> WebP; where there are several they rest at the end and play again."""
    side = min((SIZE[0] - GAP * (COLUMNS + 1)) // COLUMNS, (SIZE[1] - GAP * (ROWS + 1)) // ROWS)
    shape = Image.new("L", (side * 3, side * 3))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, side * 3 - 1, side * 3 - 1), CORNER * 3, fill=255)
    shape = shape.resize((side, side), Image.Resampling.BOX)
    left, top = (SIZE[0] - COLUMNS * side - (COLUMNS - 1) * GAP) // 2, (SIZE[1] - ROWS * side - (ROWS - 1) * GAP) // 2
    frames = []
    for state in states[-1:] + states[:-1]:     # the finished pictures first: they also stand where nothing plays
        frame = Image.new("RGBA", SIZE)
        for index, image in enumerate(state):
            tile = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
            place = left + index % COLUMNS * (side + GAP), top + index // COLUMNS * (side + GAP)
            frame.paste(tile.resize((side, side), Image.Resampling.NEAREST), place, shape)
        frames.append(frame)
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=len(frames) > 1, append_images=frames[1:], loop=0, quality=28, method=4,
                   duration=[REST_MS] + [FRAME_MS] * (len(frames) - 1) if len(frames) > 1 else 0)
    return out.getvalue()
