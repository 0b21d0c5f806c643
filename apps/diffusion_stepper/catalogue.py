"""The models that the room offers, and the pictures they were trained to make."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from apps.diffusion_stepper import foreign
from engines import data
from engines.runtime import BadInput
from gallery.bundled import Kind
from gallery.elsewhere import is_foreign

DEFAULT = "ddpm-mnist"
KIND = Kind("diffusion model", lambda config: config.get("family") == "diffusion")


def config(model: str) -> dict[str, Any]:
    """A model's config.json, or what stands for it. Raises BadInput or ModelFault, with a sentence, where there is none."""
    return foreign.config(model) if is_foreign(model) else KIND.config(model)


def bundled() -> list[dict[str, Any]]:
    """What the page must know of each diffusion model that came with the gallery."""
    return sorted(KIND.installed(told), key=lambda each: (each["name"] != DEFAULT, each["image"][2], each["name"]))    # grey, then colour


def offered(model: str) -> list[dict[str, Any]]:
    """The bundled models, and the one that the page shows if it is none of them."""
    found = bundled()
    return found if any(each["name"] == model for each in found) else [*found, told(model)]


def told(model: str) -> dict[str, Any]:
    known = {"free": True, "latent": False, "foreign": False, "schedule": "linear", **config(model)}
    return {key: known.get(key) for key in ("name", "dataset", "image", "classes", "measured", "parameters", "free",
                                            "latent", "foreign", "schedule")}


# --- pictures of the data set -------------------------------------------------------------------------------------

def shown(dataset: str) -> data.PictureSet:
    """The pictures that may be chosen: the test split, or all of a set that has no splits. Raises BadInput."""
    if dataset == foreign.DATASET:
        raise BadInput("The pictures that this model was trained on are not in the gallery: upload one, or draw it.")
    split = "test" if "test" in data.about(dataset)["splits"] else "all"
    return data.load(dataset, split)


def picture(model: str, index: int) -> np.ndarray:
    """A test picture as the model would know it: uint8 (H, W, C) of the model's size. Raises BadInput."""
    known = config(model)
    images = shown(known["dataset"]).images
    if not 0 <= index < len(images):
        raise BadInput(f"There is no test picture {index}; they are numbered 0 to {len(images) - 1}.")
    return sized(images[index], known["image"])


def sized(image: np.ndarray, wanted: list[int]) -> np.ndarray:
    """uint8 (H, W, C) -> the model's size: laid in the middle of black if smaller, averaged if larger."""
    height, width, channels = wanted
    if image.shape[0] > height or image.shape[1] > width:
        flat = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        image = np.asarray(flat.resize((width, height), Image.Resampling.BOX)).reshape(height, width, -1)
    if image.shape[-1] > channels:
        image = np.rint(image.mean(-1, keepdims=True)).astype(np.uint8)
    spare = height - image.shape[0], width - image.shape[1]
    image = np.pad(image, (*((each // 2, each - each // 2) for each in spare), (0, 0)))
    return np.ascontiguousarray(np.repeat(image, channels, 2) if image.shape[-1] < channels else image)
