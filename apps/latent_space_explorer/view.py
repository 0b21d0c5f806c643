"""Frames into bytes that a page can show. Pure: numpy and Pillow, no engine."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def pixels(image: np.ndarray) -> dict[str, Any]:
    """uint8 (H, W, C) -> what the page's `unpack` reads: size and raw bytes in base64."""
    h, w, c = image.shape
    return {"w": w, "h": h, "c": c, "data": base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()}


def picture(image: np.ndarray) -> Image.Image:
    """uint8 (H, W, 1 or 3) -> a Pillow picture."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    picture(image).save(out, "PNG")
    return out.getvalue()


def data_uri(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def strip(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C) -> the pictures below each other, (N * H, W, C)."""
    n, h, w, c = images.shape
    return images.reshape(n * h, w, c)


def sheet(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """uint8 (rows * columns, H, W, C) -> one picture of tiles, (rows * H, columns * W, C)."""
    _, h, w, c = images.shape
    tiles = images.reshape(rows, columns, h, w, c).transpose(0, 2, 1, 3, 4)        # (rows, H, columns, W, C)
    return tiles.reshape(rows * h, columns * w, c)


def tiles(images: np.ndarray, columns: int, side: int) -> bytes:
    """uint8 (N, H, W, 3) -> WebP of all, side pixels wide each, row by row. For the eye: small, and not lossless."""
    rows = -(-len(images) // columns)
    whole = Image.new("RGB", (columns * side, rows * side), "white")
    for i, image in enumerate(images):
        small = picture(image).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        whole.paste(small, (i % columns * side, i // columns * side))
    out = io.BytesIO()
    whole.save(out, "WEBP", quality=70)
    return out.getvalue()


def lossless(image: np.ndarray) -> tuple[bytes, str]:
    """The picture exactly as it is, in the format that is smaller for its kind, and that format's media type."""
    if image.shape[-1] == 1:
        return png(image), "image/png"
    out = io.BytesIO()
    picture(image).save(out, "WEBP", lossless=True, quality=20, method=1, exact=True)
    return out.getvalue(), "image/webp"
