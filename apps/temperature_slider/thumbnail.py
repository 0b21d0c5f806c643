"""The door's picture: what the real model holds likely after the room's prompt, while the temperature goes up and down."""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from apps.temperature_slider import catalogue, state
from engines import language, runtime
from gallery import look

SIZE = (320, 240)
FINER = 3                            # drawn so much larger, then scaled down: Pillow's shapes have no smooth edge
ROWS = 7
FRAMES, FRAME_MS = 24, 90
HOTTEST = 2.0
STILL = 1.0                          # temperature shown where nothing may move
LEFT, TOP, ROW, BAR = 78, 14, 26, 18  # where the bars begin, the first row, from row to row, a bar's height
WIDTH, TRACK = 226, 218              # of a bar of probability 1; the height at which the slider lies
LETTERS = look.WEB / "fonts" / "inter-latin.woff2"


async def make(still: bool) -> bytes:
    """An animated WebP of 320 x 240 on nothing; with `still` a single picture. Raises VisitorError."""
    model = catalogue.DEFAULT
    reading = await runtime.start(language.read, language.Read(model, state.PROMPT), session="thumbnail").aresult()
    known = await runtime.start(language.vocabulary, language.Tokens(model), session="thumbnail").aresult()
    logits = reading.logits.astype(np.float64)
    first = np.argsort(-logits, kind="stable")[:ROWS]
    names = [known.pieces[token].decode("utf-8", "replace").strip() for token in first]
    temperatures = [STILL] if still else walk()
    shares = [distribution(logits, temperature)[first] for temperature in temperatures]
    return await asyncio.to_thread(draw, names, temperatures, shares)


def walk() -> list[float]:
    """From 1 up to the hottest, down to 0 and back to 1, slowest at the ends."""
    turns = [math.sin(2 * math.pi * frame / FRAMES) for frame in range(FRAMES)]
    return [1 + turn * (HOTTEST - 1) if turn > 0 else 1 + turn for turn in turns]


def distribution(logits: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(logits / T), (V,); at 0 all of it on the likeliest."""
    if temperature < 1e-6:
        return (np.arange(len(logits)) == logits.argmax()).astype(np.float64)
    q = np.exp((logits - logits.max()) / temperature)
    return q / q.sum()


def draw(names: Sequence[str], temperatures: Sequence[float], shares: Sequence[np.ndarray]) -> bytes:
    """names of the tokens (ROWS,); shares: their probabilities (ROWS,) at each temperature -> WebP."""
    frames = [_frame(names, temperature, q) for temperature, q in zip(temperatures, shares, strict=True)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=len(frames) > 1, append_images=frames[1:], duration=FRAME_MS, loop=0,
                   quality=70, method=4, minimize_size=True)
    return out.getvalue()


def _frame(names: Sequence[str], temperature: float, q: np.ndarray) -> Image.Image:
    frame = Image.new("RGBA", (SIZE[0] * FINER, SIZE[1] * FINER))
    pen, font = ImageDraw.Draw(frame), ImageFont.truetype(str(LETTERS), 14 * FINER)
    ink, accent, line = (_between(name) for name in ("ink-2", "gpt2", "edge"))
    for row, (name, share) in enumerate(zip(names, q, strict=True)):
        y = TOP + row * ROW
        pen.text(((LEFT - 10) * FINER, (y + BAR / 2) * FINER), name, ink, font, anchor="rm")
        _bar(pen, LEFT, y, max(WIDTH * share, 2), BAR, accent if row == 0 else (*accent[:3], 170))
    _bar(pen, LEFT, TRACK - 2, WIDTH, 4, line)
    at = LEFT + WIDTH * temperature / HOTTEST
    pen.text(((LEFT - 16) * FINER, TRACK * FINER), f"T {temperature:.1f}", ink, font, anchor="rm")
    pen.ellipse([(at - 9) * FINER, (TRACK - 9) * FINER, (at + 9) * FINER, (TRACK + 9) * FINER], fill=accent)
    return frame.resize(SIZE, Image.Resampling.BOX)


def _bar(pen: ImageDraw.ImageDraw, x: float, y: float, width: float, height: float, colour: tuple[int, ...]) -> None:
    radius = min(4, width / 2, height / 2) * FINER
    pen.rounded_rectangle([x * FINER, y * FINER, (x + width) * FINER, (y + height) * FINER], radius, fill=colour)


def _between(name: str) -> tuple[int, int, int, int]:
    """A colour halfway between the two themes, so that it can be seen on both."""
    both = [look.tokens()[theme][name] for theme in ("light", "dark")]
    red, green, blue = (sum(int(text[at:at + 2], 16) for text in both) // 2 for at in (1, 3, 5))
    return red, green, blue, 255
