"""Make a visitor's picture look like the pictures that a model was trained on.

MNIST: "the original black and white images were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio [...] the images were centered in a 28x28 image by computing the center
of mass of the pixels" (LeCun, Cortes, Burges, the data set's page). Fashion-MNIST: trimmed to the
object, longest edge 28 pixels, sharpened, centred, negated (Xiao, Rasul, Vollgraf 2017, section 2,
arXiv:1708.07747). Emoji: 64 x 64, transparency laid on white. Photographs: the square in the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from engines.runtime import BadInput
from gallery.upload import Opened

BOX, SIDE, MASS = 20, 28, 14         # MNIST: box, picture, and where the centre of mass goes (index of a pixel)
THIN, USUAL = 1.27, 2.2              # width of a stroke in a 20-pixel box: 1st percentile and about the median of MNIST
EMOJI_SIDE, EMOJI_BOX = 64, 60       # the usual longest side of a Noto emoji is 60 to 62 of 64 pixels
PHOTO_SIDE = 256                     # the largest picture that is handed to a diffusion model
FAINT = 12 / 255                     # a picture whose darkest and lightest differ by less shows nothing
EMPTY = "The picture is empty: draw something first, or choose one in which something stands out from its background."


@dataclass(frozen=True)
class Fitted:
    """picture: uint8 (H, W, C), of the model's size. notes: what was done, in plain words."""

    picture: np.ndarray
    notes: tuple[str, ...]


def fit(opened: Opened, dataset: str) -> Fitted:
    """A visitor's picture as the data set would hold it. Raises BadInput if nothing can be seen in it."""
    ways: dict[str, Callable[[Opened], Fitted]] = {"mnist": as_mnist, "fashion": as_fashion, "emoji": as_emoji,
                                                  "photo": as_photo}
    if dataset not in ways:
        raise BadInput(f"The model reads pictures of {dataset!r}; a picture of one's own can be fitted to "
                       f"{', '.join(ways)}: choose another model.")
    fitted = ways[dataset](opened)
    return Fitted(fitted.picture, opened.notes + fitted.notes)


# --- digits ------------------------------------------------------------------------------------------------------

def as_mnist(opened: Opened) -> Fitted:
    ink, notes = ink_of(opened)                                                     # (H, W), 0 to 1
    low_resolution = max(ink.shape) <= EMOJI_SIDE and not opened.lossy
    box = bounds(ink > (0.5 / 255 if low_resolution else 0.2))
    ink = _cropped(ink, box)
    if max(ink.shape) != BOX:
        ink, thickened = _sized(ink)
        notes.append(f"scaled to a box of {BOX} × {BOX} pixels")
        if thickened:
            notes.append("thin strokes thickened to the width usual in MNIST")
    ink = ink / ink.max()
    weights = np.indices(ink.shape) * ink                                           # (2, h, w)
    centre = weights.sum((1, 2)) / ink.sum()
    corner = [int(np.clip(np.floor(MASS - c + 0.5), 0, SIDE - n)) for c, n in zip(centre, ink.shape, strict=True)]
    picture = np.zeros((SIDE, SIDE), np.float32)
    picture[corner[0]:corner[0] + ink.shape[0], corner[1]:corner[1] + ink.shape[1]] = ink
    notes.append("centre of mass put in the middle")
    return Fitted(_bytes(picture)[..., None], tuple(notes))


def ink_of(opened: Opened) -> tuple[np.ndarray, list[str]]:
    """How much each pixel stands out from the background: float32 (H, W), 0 to 1, and notes.

    Light on dark or dark on light is told by the rim. A rim that is not of one shade is taken for a
    photograph of paper: its uneven light is divided out and its grain is cut off.
    """
    grey, notes = _grey(opened.image)
    rim = _rim(grey)
    middle = (np.percentile(grey, 0.5) + np.percentile(grey, 99.5)) / 2
    light = bool(np.median(rim) > middle)
    if light:
        notes.append("light background: shades inverted")
    ink = 1 - grey if light else grey
    grain = float(np.percentile(_rim(ink), 95) - np.percentile(_rim(ink), 5))
    if grain > 0.04 and min(ink.shape) > EMOJI_SIDE:
        ink = _without_shade(ink)
        notes.append("uneven light evened out")
    else:
        ink = np.clip(ink - np.median(_rim(ink)), 0, 1)
    if ink.max() < FAINT:
        raise BadInput(EMPTY)
    return ink, notes


def _without_shade(ink: np.ndarray) -> np.ndarray:
    """Subtract the slowly varying background of a photograph, then cut at Otsu's threshold with a soft edge."""
    height, width = ink.shape
    small = Image.fromarray(_bytes(ink)).resize((96, max(1, round(96 * height / width))), Image.Resampling.BOX)
    floor = small.filter(ImageFilter.MinFilter(3))
    for _ in range(5):                                        # a stroke thinner than 1/6 of the width is no background
        floor = floor.filter(ImageFilter.MinFilter(5))
    floor = floor.filter(ImageFilter.GaussianBlur(8)).resize((width, height), Image.Resampling.BICUBIC)
    flat = np.clip(ink - np.asarray(floor, np.float32) / 255, 0, 1)
    cut = otsu(flat)
    return np.clip((flat - 0.7 * cut) / max(0.6 * cut, 1e-6), 0, 1) if flat.max() >= FAINT else flat


def otsu(values: np.ndarray) -> float:
    """The threshold between two groups of values in [0, 1] that differ most (Otsu 1979)."""
    counts, edges = np.histogram(values, 256, (0, 1))
    share = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * edges[:-1]) / counts.sum()
    between = (mean[-1] * share - mean) ** 2 / np.maximum(share * (1 - share), 1e-9)
    return float(edges[1:][np.argmax(between)])


def stroke_width(mask: np.ndarray) -> float:
    """Mean width in pixels of the strokes in a bool mask (H, W): twice the area over the outline's length.

    The length is estimated from the borders crossed along rows and columns (Cauchy-Crofton), so that
    it is right on average for outlines of any direction.
    """
    framed = np.pad(mask, 1)
    crossed = (framed[1:] != framed[:-1]).sum() + (framed[:, 1:] != framed[:, :-1]).sum()
    return float(2 * mask.sum() / max(np.pi / 4 * crossed, 1e-9))


def _sized(ink: np.ndarray) -> tuple[np.ndarray, bool]:
    """Scale so that the longest side is the box, thickening strokes thinner than any in the data. (H, W) -> (h, w)."""
    unit = 8                                                                        # work at 160 pixels, then 8 to 1
    thickened = False
    if max(ink.shape) > BOX * 2:
        ink = _resized(ink, BOX * unit)
        width = stroke_width(ink > 0.4 * ink.max()) / unit
        if width < THIN:
            rounds = round((USUAL - width) * unit / 2)
            for turn in range(rounds):
                ink = _grown(ink, diagonal=turn % 2 == 1)
            thickened = rounds > 0
            box = bounds(ink > 0.1)
            ink = _cropped(ink, box)
    return _resized(ink, BOX), thickened


def _grown(ink: np.ndarray, diagonal: bool) -> np.ndarray:
    """One pixel of dilation; crosses and squares in turn make an octagon, near enough to a round pen."""
    framed = np.pad(ink, 2)
    grown = framed.copy()
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if diagonal else [])
    for step in steps:
        grown = np.maximum(grown, np.roll(framed, step, (0, 1)))
    return grown[1:-1, 1:-1]


# --- fashion -----------------------------------------------------------------------------------------------------

def as_fashion(opened: Opened) -> Fitted:
    grey, notes = _grey(opened.image)
    if grey.shape == (SIDE, SIDE) and _rim(grey).mean() < 0.5 and np.median(_rim(grey)) == 0:
        return Fitted(_bytes(grey)[..., None], ("already of the size and shades of the data",))
    paper = float(np.median(np.concatenate([grey[:3, :3], grey[:3, -3:], grey[-3:, :3], grey[-3:, -3:]], axis=None)))
    light = paper > 0.5
    value = np.clip((paper - grey) / paper if light else (grey - paper) / (1 - paper), 0, 1)
    if light:
        notes.append("light background: shades negated, as Fashion-MNIST does")
    if value.max() < FAINT:
        raise BadInput(EMPTY)
    rim = _rim(value)
    if np.percentile(rim, 75) > 0.15:
        notes.append("the background is not of one shade: the whole frame was kept")
    else:
        value = _cropped(value, bounds(value > 0.05))
    smaller = max(value.shape) > SIDE
    value = _resized(value, SIDE)
    if smaller:
        sharp = Image.fromarray(_bytes(value)).filter(ImageFilter.UnsharpMask(radius=1, percent=60, threshold=0))
        value = np.asarray(sharp, np.float32) / 255
    notes += [f"longest edge scaled to {SIDE} pixels", "put in the middle, on black"]
    return Fitted(_bytes(_centred(value, SIDE))[..., None], tuple(notes))


# --- emoji -------------------------------------------------------------------------------------------------------

def as_emoji(opened: Opened) -> Fitted:
    image, notes = opened.image, []
    if image.getextrema()[3][0] < 255:
        notes.append("transparency laid on white")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image)
    rgb = np.asarray(flat.convert("RGB"), np.float32) / 255                          # (H, W, 3)
    away = np.abs(1 - rgb).max(-1)                                                   # distance from white
    if away.max() < FAINT:
        raise BadInput(EMPTY)
    if rgb.shape[:2] == (EMOJI_SIDE, EMOJI_SIDE) and np.percentile(_rim(away), 75) < 0.05:
        return Fitted(_bytes(rgb), (*notes, "already of the size of the data"))
    if np.percentile(_rim(away), 75) < 0.05:
        rgb = _resized(_cropped(rgb, bounds(away > 0.05)), EMOJI_BOX)
        notes.append(f"trimmed, scaled to {EMOJI_BOX} pixels and put in the middle, on white")
    else:
        side = min(rgb.shape[:2])
        top, left = ((n - side) // 2 for n in rgb.shape[:2])
        rgb = _resized(rgb[top:top + side, left:left + side], EMOJI_SIDE)
        notes.append("no white background: the middle square was taken")
    return Fitted(_bytes(_centred(rgb, EMOJI_SIDE, 1.0)), tuple(notes))


# --- shared by all -----------------------------------------------------------------------------------------------

# --- photographs -------------------------------------------------------------------------------------------------

def as_photo(opened: Opened) -> Fitted:
    """The square in the middle, in colour, of at most 256 pixels: the model's size is made of it later."""
    white = Image.new("RGBA", opened.image.size, "white")
    flat = Image.alpha_composite(white, opened.image.convert("RGBA")).convert("RGB")
    side = min(flat.size)
    left, top = (flat.width - side) // 2, (flat.height - side) // 2
    square = flat.crop((left, top, left + side, top + side))
    if side > PHOTO_SIDE:
        square = square.resize((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    return Fitted(np.asarray(square), ("cut to the square in the middle",) if flat.width != flat.height else ())


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """top, bottom, left, right of what is true in a mask (H, W); bottom and right exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise BadInput(EMPTY)
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _grey(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    """RGBA -> grey (H, W), 0 to 1. What is transparent becomes the opposite of what is drawn."""
    pixels = np.asarray(image, np.float32) / 255                                     # (H, W, 4)
    alpha = pixels[..., 3]
    grey = np.asarray(image.convert("RGB").convert("L"), np.float32) / 255
    if alpha.min() > 0.98:
        return grey, []
    if alpha.max() < FAINT:
        raise BadInput(EMPTY)
    paper = 0.0 if (grey * alpha).sum() > 0.5 * alpha.sum() else 1.0
    return grey * alpha + paper * (1 - alpha), [f"transparency laid on {'white' if paper else 'black'}"]


def _rim(values: np.ndarray) -> np.ndarray:
    """The outermost pixels, a 28th of the shorter side wide, in one row."""
    width = max(1, min(values.shape[:2]) // 28)
    return np.concatenate([values[:width].ravel(), values[-width:].ravel(),
                           values[:, :width].ravel(), values[:, -width:].ravel()])


def _cropped(values: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    top, bottom, left, right = box
    return values[top:bottom, left:right]


def _resized(values: np.ndarray, longest: int) -> np.ndarray:
    """Float (H, W) or (H, W, 3) in [0, 1], scaled to the longest side: by area when smaller, smoothly when larger."""
    height, width = values.shape[:2]
    scale = longest / max(height, width)
    if scale == 1:
        return values
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    size = max(1, round(width * scale)), max(1, round(height * scale))
    planes = values[..., None] if values.ndim == 2 else values
    scaled = [np.asarray(Image.fromarray(np.ascontiguousarray(planes[..., c])).resize(size, way))
              for c in range(planes.shape[-1])]
    return np.clip(np.stack(scaled, -1).reshape(size[1], size[0], *values.shape[2:]), 0, 1)


def _centred(values: np.ndarray, side: int, paper: float = 0.0) -> np.ndarray:
    whole = np.full((side, side, *values.shape[2:]), paper, np.float32)
    top, left = ((side - n) // 2 for n in values.shape[:2])
    whole[top:top + values.shape[0], left:left + values.shape[1]] = values
    return whole


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
