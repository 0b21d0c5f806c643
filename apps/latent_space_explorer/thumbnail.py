"""The door's picture: a ring walks over the real map, and the real decoder says what lies under it."""

from __future__ import annotations

import asyncio
import io

import numpy as np
from PIL import Image, ImageDraw

from apps.latent_space_explorer import catalogue, codes
from apps.latent_space_explorer.atlas import decode_all
from gallery import look

SIZE = (320, 240)
FINER = 3                            # drawn so much larger, then scaled down: Pillow's discs have no smooth edge
SHOWN = 900                          # codes: enough to see the islands, few enough for a small file
STEPS = 28 
FRAME_MS = 70 
STOPS = (4, 9, 7, 3, 8, 0, 6, 1)     # digits whose islands the ring visits, then back to the first
SIDES = (1.5, 98.5)                 # per cent of the codes between the picture's edges
LEFT = 90                            # finer pixels that the cloud gives way to the card
CARD = 84                            # pixels of the decoded picture
STILL = 5                            # frame shown where nothing may move
RING = (127, 114, 214)               # between the accents of the light and the dark theme


async def make(still: bool) -> bytes:
    """An animated WebP of 320 x 240 on nothing; with `still` a single picture. Raises VisitorError."""
    model = catalogue.DEFAULT
    space = codes.read(model)
    labels = catalogue.pictures(space.dataset).labels
    walk = loop(np.stack([np.median(space.mu[labels == stop], axis=0) for stop in STOPS]), STEPS)
    if still:
        walk = walk[STILL:STILL + 1]
    images = await decode_all(model, walk.astype(np.float32), session="thumbnail")
    return await asyncio.to_thread(draw, space.mu[:SHOWN], labels[:SHOWN], walk, images)


def loop(stops: np.ndarray, count: int) -> np.ndarray:
    """A closed smooth curve through the stops (K, 2), as (count, 2): Catmull and Rom's splines, 1974."""
    t = np.linspace(0, len(stops), count, endpoint=False)
    at, u = t.astype(int), (t % 1)[:, None]
    p0, p1, p2, p3 = (stops[(at + shift) % len(stops)] for shift in (-1, 0, 1, 2))
    return 0.5 * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2 + (3 * p1 - p0 - 3 * p2 + p3) * u**3)


def colours() -> list[tuple[int, int, int]]:
    """The ten classes' colours, halfway between the two themes, so that they can be seen on both."""
    def rgb(text: str) -> np.ndarray:
        return np.array([int(text[i:i + 2], 16) for i in (1, 3, 5)])
    tokens = look.tokens()
    return [tuple(((rgb(tokens["light"][f"class-{k}"]) + rgb(tokens["dark"][f"class-{k}"])) // 2).tolist()) for k in range(10)]


def draw(mu: np.ndarray, labels: np.ndarray, walk: np.ndarray, images: np.ndarray) -> bytes:
    """mu (N, 2) codes, labels (N,), walk (F, 2) places of the ring, images uint8 (F, H, W, 1) decoded there."""
    low, high = np.percentile(mu, SIDES, axis=0)
    scale = min(SIZE[0] / (high[0] - low[0]), SIZE[1] / (high[1] - low[1])) * FINER
    middle = (low + high) / 2 + [LEFT / scale, 0]

    def pixel(z: np.ndarray) -> np.ndarray:
        return (z - middle) * [scale, -scale] + np.array(SIZE) * FINER / 2

    ground = Image.new("RGBA", (SIZE[0] * FINER, SIZE[1] * FINER))
    pen = ImageDraw.Draw(ground)
    palette = colours()
    for (x, y), label in zip(pixel(mu), labels, strict=True):
        pen.ellipse((x - 5.5, y - 5.5, x + 5.5, y + 5.5), (*palette[label % 10], 225))
    places, cards = list(map(pixel, walk)), list(map(_card, images))
    frames = [_frame(ground, places[0], cards[0])]
    for before, place, card in zip(places, places[1:], cards[1:], strict=False):
        # First the picture changes, then the ring moves: a frame is stored as the smallest box that changed.
        frames += [_frame(ground, before, card), _frame(ground, place, card)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=len(frames) > 1, append_images=frames[1:], duration=FRAME_MS, loop=0,
                   quality=65, method=3, minimize_size=True)
    return out.getvalue()


def _card(image: np.ndarray) -> Image.Image:
    """A decoded picture, enlarged, with round corners."""
    card = Image.fromarray(image[..., 0]).resize((CARD, CARD), Image.Resampling.NEAREST).convert("RGBA")
    shape = Image.new("L", (CARD * 2, CARD * 2))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, CARD * 2 - 1, CARD * 2 - 1), 18, fill=255)
    card.putalpha(shape.resize((CARD, CARD), Image.Resampling.BOX))
    return card


def _frame(ground: Image.Image, place: np.ndarray, card: Image.Image) -> Image.Image:
    frame = ground.copy()
    pen = ImageDraw.Draw(frame)
    x, y = place
    for radius, width, colour in ((34, 15, (255, 255, 255, 255)), (31, 9, (*RING, 255))):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=width)
    frame = frame.resize(SIZE, Image.Resampling.BOX)
    frame.alpha_composite(card, (SIZE[0] - CARD - 8, SIZE[1] - CARD - 8))
    return frame
