"""Open a picture that a stranger sent: what it claims is checked before anything is decoded.

Only the formats below are tried. The size is read from the header, so that a small file that
unfolds into a vast picture is refused before its pixels exist.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from engines.runtime import BadInput
from gallery import limits

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
READABLE = "PNG, JPEG, WebP, GIF and BMP can be read"
WORKING_SIDE = 1024                  # a larger picture is reduced at once: 20 or 64 pixels are wanted in the end
# What Pillow raises on damaged files, by format; a decoder that fails otherwise is a defect and is logged as one.
DAMAGE = (OSError, SyntaxError, ValueError, IndexError, EOFError, TypeError, OverflowError)


@dataclass(frozen=True)
class Opened:
    """image: RGBA, upright, longest side at most WORKING_SIDE. notes: what was done to it, in plain words."""

    image: Image.Image
    notes: tuple[str, ...]
    lossy: bool = False


def short_name(name: str) -> str:
    """A file name fit for a sentence: one line, no control or direction marks, at most 40 characters."""
    spaced = "".join(" " if unicodedata.category(c)[0] == "Z" else c for c in name)
    kept = "".join(c for c in spaced if c.isprintable() and unicodedata.category(c)[0] != "C").strip()
    if not kept:
        return "The picture"
    return kept if len(kept) <= 40 else f"{kept[:24]}…{kept[-13:]}"


def open_picture(data: bytes, name: str = "") -> Opened:
    """Decode the bytes of a file. Raises BadInput with a sentence for all that cannot be shown to a model."""
    what = short_name(name)
    check_weight(len(data), what)
    header = _header(data, what)
    check_size(header.size, what)
    notes: list[str] = []
    frames = getattr(header, "n_frames", 1) if header.format in ("GIF", "WEBP", "PNG") else 1
    if frames > 1:
        notes.append(f"first of {frames} frames taken")
    lossy = header.format == "JPEG"
    try:
        if lossy:
            header.draft("RGB", (WORKING_SIDE, WORKING_SIDE))      # decodes at a fraction of the size if that suffices
        header.load()
        image = ImageOps.exif_transpose(header)
        if image.size != header.size or header.getexif().get(0x0112, 1) not in (0, 1):
            notes.append("turned upright")
        image = _rgba(image)
    except DAMAGE as fault:
        raise BadInput(f"{what} is damaged or cut short, and its picture cannot be read to the end: "
                       "choose another file, or save it again.") from fault
    if max(image.size) > WORKING_SIDE:
        image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return Opened(image, tuple(notes), lossy)


def check_weight(count: int, what: str = "The picture") -> None:
    """count: bytes in the file."""
    if count == 0:
        raise BadInput(f"{what} is empty, 0 bytes: choose another file.")
    if count > limits.UPLOAD_BYTES:
        raise BadInput(f"{what} is a file of {count / 1e6:.1f} MB; the limit is {limits.UPLOAD_BYTES / 1e6:.0f} MB: "
                       "make the picture smaller first.")


def check_size(size: tuple[int, int], what: str = "The picture") -> None:
    """size: width and height in pixels, as the header claims."""
    width, height = size
    if width * height > limits.UPLOAD_PIXELS:
        raise BadInput(f"{what} has {width} × {height} pixels, {width * height / 1e6:.0f} megapixels; the limit is "
                       f"{limits.UPLOAD_PIXELS / 1e6:.0f} megapixels: make the picture smaller first.")
    if max(width, height) < 4:
        raise BadInput(f"{what} has only {width} × {height} pixels; at least 4 on a side are needed: "
                       "choose a larger one.")


def _header(data: bytes, what: str) -> Image.Image:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start or (start.startswith(b"<?xml") and b"svg" in data[:4096].lower()):
        raise BadInput(f"{what} is an SVG drawing, made of instructions instead of pixels; {READABLE}: "
                       "save it as PNG first.")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as fault:
        raise BadInput(f"{what} unfolds into more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} megapixels; "
                       f"the limit is {limits.UPLOAD_PIXELS / 1e6:.0f} megapixels: "
                       "make the picture smaller first.") from fault
    except (UnidentifiedImageError, *DAMAGE) as fault:
        raise BadInput(f"{what} is not a picture that can be read here; {READABLE}: choose another file.") from fault


def _rgba(image: Image.Image) -> Image.Image:
    """Any mode -> RGBA with 8 bits a channel. Sixteen-bit greys are scaled, where Pillow would clip them."""
    if image.mode.startswith(("I", "F")):
        levels = np.asarray(image, np.float32)                             # (H, W)
        top = 255.0 if levels.max(initial=0) <= 255 else 65535.0
        image = Image.fromarray(np.clip(levels / top * 255, 0, 255).round().astype(np.uint8))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return image.convert("RGBA")
