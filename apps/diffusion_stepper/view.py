"""Frames into bytes that a page can show. Pure: numpy and Pillow, no engine."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def pixels(image: np.ndarray) -> dict[str, Any]:
    """uint8 (H, W, C) -> what the page reads as a picture: size and raw bytes in base64."""
    h, w, c = image.shape
    return {"w": w, "h": h, "c": c, "data": base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()}


def picture(image: np.ndarray) -> Image.Image:
    """uint8 (H, W, 1 or 3) -> a Pillow picture."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def data_uri(image: np.ndarray) -> str:
    """uint8 (H, W, C) as the data URI of a PNG."""
    out = io.BytesIO()
    picture(image).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def strip(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C) -> the pictures side by side, (H, N * W, C)."""
    n, h, w, c = images.shape
    return images.transpose(1, 0, 2, 3).reshape(h, n * w, c)
