"""What may be asked of a VAE, as jobs for the runtime. `engines.vae` declares them, the paper is in `model`.

Every pass through a network is yielded as a request, so that visitors who ask at the same time share it.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor

from engines import vae as asked
from engines.runtime import BadInput
from engines.runtime.contract import Forward, forward
from engines.vae import model as paper
from engines.vae.paths import along

CHUNK_PIXELS = 256 * 28 * 28     # pixels in one pass, so that a step stays short: 256 digits, 16 emoji


def decode(vae: paper.VAE, p: asked.Decode) -> Generator[object, object, None]:
    """Decode points as they are."""
    z = _points(vae, p.z, "z")
    yield asked.Pictures((yield from _decode(vae, z)), z)


def grid(vae: paper.VAE, p: asked.Grid) -> Generator[object, object, None]:
    """Decode a sheet of points of a plane, its first row the top of the map."""
    latent = vae.architecture.latent
    for axis in p.axis:
        if not 0 <= axis < latent:
            raise BadInput(f"dimension {axis} was asked for; this model has 0 to {latent - 1}: choose one of these.")
    origin = _points(vae, [p.origin], "origin")[0] if p.origin else np.zeros(latent, np.float32)
    x0, x1, y0, y1 = p.extent
    z = np.tile(origin, (p.rows, p.columns, 1))                            # (rows, columns, d)
    z[..., p.axis[0]] = np.linspace(x0, x1, p.columns)[None, :]
    z[..., p.axis[1]] = np.linspace(y1, y0, p.rows)[:, None]
    z = z.reshape(-1, latent).astype(np.float32)                           # (rows * columns, d)
    yield asked.Pictures((yield from _decode(vae, z)), z)


def encode(vae: paper.VAE, p: asked.Encode) -> Generator[object, object, None]:
    """Encode pictures, decode them again from mu, and give both terms of the loss."""
    paper.check_fit(vae, p.pictures.shape[1:])
    parts = []
    for pictures in _chunks(p.pictures, vae):
        x = paper.to_float(torch.tensor(pictures)).to(_device(vae))        # (B, H, W, C)
        mu, logvar = yield forward(vae.encode, x)
        logits = yield forward(vae.decode, mu)
        parts.append((mu, logvar, paper.to_bytes(torch.sigmoid(logits)), paper.reconstruction_nats(x, logits)))
    mu, logvar, images, nats = (torch.cat(column).cpu() for column in zip(*parts))
    kl = torch.zeros_like(mu) if vae.architecture.kind == "ae" else paper.kl_divergence(mu, logvar)
    yield asked.Codes(mu.numpy(), logvar.numpy(), images.numpy(), nats.numpy(), kl.numpy())


def reconstruct(vae: paper.VAE, p: asked.Reconstruct) -> Generator[object, object, None]:
    """Draw eps n times for one picture: what q(z|x) holds."""
    paper.check_fit(vae, p.picture.shape)
    x = paper.to_float(torch.tensor(p.picture[None])).to(_device(vae))     # (1, H, W, C)
    mu, logvar = yield forward(vae.encode, x)
    eps = torch.randn((p.n, mu.shape[1]), generator=torch.Generator().manual_seed(p.seed))
    z = paper.reparameterise(mu.cpu(), logvar.cpu(), eps)                  # (1, d) and (n, d) -> (n, d)
    if vae.architecture.kind == "ae":
        z = mu.cpu().expand(p.n, -1).contiguous()
    logits = yield forward(vae.decode, z.to(_device(vae)))
    nats = paper.reconstruction_nats(x.expand_as(logits), logits)
    images = paper.to_bytes(torch.sigmoid(logits))
    yield asked.Draws(eps.numpy(), z.numpy(), images.cpu().numpy(), nats.cpu().numpy())


def interpolate(vae: paper.VAE, p: asked.Interpolate) -> Generator[object, object, None]:
    """Decode the way from point to point."""
    z = along(_points(vae, p.points, "a point of the path"), p.steps, p.way)
    yield asked.Pictures((yield from _decode(vae, z)), z)


# --- shared ------------------------------------------------------------------------------------------------------

def _decode(vae: paper.VAE, z: np.ndarray) -> Generator[Forward, Tensor, np.ndarray]:
    """z float32 (N, d) -> uint8 (N, H, W, C), in passes of a bounded number of pixels."""
    images = []
    for part in _chunks(z, vae):
        shown = yield forward(vae.picture, torch.tensor(part))     # all in the pass, which visitors share
        images.append(shown.cpu().numpy())
    return np.concatenate(images)


def _points(vae: paper.VAE, z: object, what: str) -> np.ndarray:
    """Points as float32 (N, d). Raises BadInput unless every point has the model's d numbers."""
    latent = vae.architecture.latent
    for point in z:
        if len(point) != latent:
            raise BadInput(f"{what} has {len(point)} numbers; this model has {latent} dimensions: give {latent}.")
    return np.array(z, np.float32)


def _chunks(array: np.ndarray, vae: paper.VAE) -> list[np.ndarray]:
    height, width, _ = vae.architecture.image
    size = max(1, CHUNK_PIXELS // (height * width))
    return [array[start:start + size] for start in range(0, len(array), size)]


def _device(vae: paper.VAE) -> torch.device:
    return next(vae.parameters()).device
