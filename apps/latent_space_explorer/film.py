"""Decoded pictures as one sheet for the page, and as files to keep: an animated GIF and a film strip in PNG.

Pure: numpy and Pillow. Every pixel of the model becomes a square of whole pixels, never smoothed.
"""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from apps.latent_space_explorer import view

GIF_SIDE, STRIP_SIDE = 256, 256      # a picture is enlarged by the whole factor that comes nearest to this from below
STRIP_COLUMNS = 12                   # pictures in one row of a film strip: about 2,700 pixels wide
GAP = 2                              # between the pictures of a strip, in pixels of the model
SHEET_COLUMNS = 16                   # keeps the longest sheet below the 16,384 pixels that a browser's canvas may have


def sheet(images: np.ndarray) -> dict[str, object]:
    """uint8 (N, H, W, C) -> {"src": data URI of a lossless PNG, "n", "columns", "w", "h"} for the page to cut apart."""
    n, height, width, channels = images.shape
    columns = min(SHEET_COLUMNS, n)
    rows = math.ceil(n / columns)
    tiles = np.zeros((rows * columns, height, width, channels), np.uint8)
    tiles[:n] = images
    return {"src": _uri("image/png", _png(view.sheet(tiles, rows, columns))),
            "n": n, "columns": columns, "w": width, "h": height}


def gif(images: np.ndarray, per_second: float, bounce: bool) -> bytes:
    """uint8 (N, H, W, C) -> an endless GIF. bounce: there and back again instead of from the start.

    GIF counts in hundredths of a second, and browsers slow down anything shorter than two: the
    number of pictures a second is rounded to that.
    """
    order = [*range(len(images)), *(range(len(images) - 2, 0, -1) if bounce else ())]
    factor = max(1, GIF_SIDE // images.shape[1])
    frames = [_enlarged(_palette(images[i]), factor) for i in order]
    duration = max(2, round(100 / per_second)) * 10
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=False)
    return out.getvalue()


def strip(images: np.ndarray, about: str) -> bytes:
    """uint8 (N, H, W, C) -> a PNG with the pictures in reading order. about: what it shows, kept in the file."""
    n, height, width, channels = images.shape
    columns = min(STRIP_COLUMNS, n)
    rows = math.ceil(n / columns)
    paper = 255 if channels == 3 else 40
    wall = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), paper, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + GAP) + GAP, (i % columns) * (width + GAP) + GAP
        wall[top:top + height, left:left + width] = image
    out, facts = io.BytesIO(), PngInfo()
    facts.add_text("Description", about)
    _enlarged(view.picture(wall), max(1, STRIP_SIDE // height)).save(out, "PNG", pnginfo=facts)
    return out.getvalue()


def download(name: str, kind: str, data: bytes) -> dict[str, object]:
    """What the page turns into a file: its name, media type and bytes in base64."""
    return {"name": name, "type": kind, "data": base64.b64encode(data).decode()}


def _palette(image: np.ndarray) -> Image.Image:
    """Greys fit a GIF's 256 entries as they are; colours are given the 256 that suit this picture best."""
    one = view.picture(image)
    if one.mode == "L":
        return one
    return one.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _enlarged(image: Image.Image, factor: int) -> Image.Image:
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    view.picture(image).save(out, "PNG", compress_level=3)
    return out.getvalue()


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
