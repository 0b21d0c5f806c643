"""What the page asks the model itself: the exact decoding of a point, and what the loss says of a test picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.latent_space_explorer import catalogue, view
from engines import runtime, vae
from engines.runtime import BadInput, VisitorError

MOST_POINTS = 64                     # decoded for one question of the page
MOST_READ = 1024                     # decoded and read again


def point(value: Any) -> tuple[float, ...]:
    """What a page or a caller gave as z, as numbers. Raises BadInput."""
    if not isinstance(value, (list, tuple)) or len(value) > 512:
        raise BadInput("z must be a list of numbers, one for each dimension of the model.")
    try:
        return tuple(float(each) for each in value)
    except (TypeError, ValueError):
        raise BadInput("z holds something that is no number: give one number for each dimension.") from None


def session(args: dict[str, Any]) -> str:
    return str(args.get("session", ""))[:64] or "visitor"


async def decode(args: dict[str, Any]) -> dict[str, Any]:
    """{model, z, session} -> {image, z}: the decoder's mean at z."""
    try:
        params = vae.Decode(str(args.get("model", "")), (point(args.get("z")),))
        frame = await runtime.start(vae.decode, params, session=session(args)).aresult()
    except VisitorError as fault:
        return {"error": str(fault)}
    return {"image": view.pixels(frame.images[0]), "z": frame.z[0].tolist()}


async def decode_many(args: dict[str, Any]) -> dict[str, Any]:
    """{model, points: up to 64 of z, session} -> {images}, in the same order."""
    points = args.get("points")
    try:
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
            raise BadInput(f"points must be a list of 1 to {MOST_POINTS} points of the latent space.")
        params = vae.Decode(str(args.get("model", "")), tuple(point(each) for each in points))
        frame = await runtime.start(vae.decode, params, session=session(args)).aresult()
    except VisitorError as fault:
        return {"error": str(fault)}
    return {"images": [view.pixels(image) for image in frame.images]}


async def read_again(args: dict[str, Any]) -> dict[str, Any]:
    """{model, points: up to 1024 of z, session} -> {mu}: where the encoder puts what the decoder paints at each."""
    points, model = args.get("points"), str(args.get("model", ""))
    try:
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_READ:
            raise BadInput(f"points must be a list of 1 to {MOST_READ} points of the latent space.")
        painted = await runtime.start(vae.decode, vae.Decode(model, tuple(point(each) for each in points)), session(args)).aresult()
        read = await runtime.start(vae.encode, vae.Encode(model, painted.images), session(args)).aresult()
    except VisitorError as fault:
        return {"error": str(fault)}
    return {"mu": read.mu.tolist()}


async def describe(args: dict[str, Any]) -> dict[str, Any]:
    """{model, dataset, index, session} -> what the loss says of one test picture, and its reconstruction."""
    try:
        images = catalogue.pictures(str(args.get("dataset", ""))).images
        index = args.get("index")
        if not isinstance(index, int) or not 0 <= index < len(images):
            raise BadInput(f"There is no test picture {index!r:.20}; they are numbered 0 to {len(images) - 1}.")
        return await told(str(args.get("model", "")), images[index], session(args))
    except VisitorError as fault:
        return {"error": str(fault)}


async def told(model: str, picture: np.ndarray, visitor: str) -> dict[str, Any]:
    """Encode one picture, uint8 (H, W, C), already of the model's size. Raises VisitorError."""
    frame = await runtime.start(vae.encode, vae.Encode(model, picture[None]), session=visitor).aresult()
    return {
        "picture": view.pixels(picture),
        "reconstruction": view.pixels(frame.reconstruction[0]),
        "mu": frame.mu[0].tolist(),
        "logvar": frame.logvar[0].tolist(),
        "recon_nats": float(frame.reconstruction_nats[0]),
        "kl_nats": frame.kl_nats[0].tolist(),
    }


def server_functions() -> list[Any]:
    return [decode, decode_many, read_again, describe]
