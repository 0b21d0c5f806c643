"""What a VAE is measured by, and what is stored beside its weights so that nobody has to compute it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.vae import model as paper

EPS_SEEDS = (0, 1, 2)            # -ELBO is the mean over pictures, and over one eps for each from every seed


@dataclass(frozen=True)
class Measured:
    """figures: nats per picture (reconstruction_nats, kl_nats, and for a VAE negative_elbo, their sum with
    beta left out), mse of pixels from 0 to 1 decoded from mu, pictures, eps_seeds.
    kl_per_dim: mean KL in nats of each dimension. mu, logvar: (N, d).
    """

    figures: dict
    kl_per_dim: list[float]
    mu: Tensor
    logvar: Tensor


def measure(vae: paper.VAE, images: np.ndarray, seeds: tuple[int, ...] = EPS_SEEDS) -> Measured:
    """Measure on pictures, uint8 (N, H, W, C), all at once."""
    steps = measuring(vae, images, seeds)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def measuring(vae: paper.VAE, images: np.ndarray, seeds: tuple[int, ...] = EPS_SEEDS,
              chunk: int = 250) -> Iterator[None]:
    """The same in short steps, for a job that must not hold up others: yields None, returns Measured."""
    reconstruction, mse, mus, logvars = 0.0, 0.0, [], []
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    device = next(vae.parameters()).device
    for start in range(0, len(images), chunk):
        with torch.no_grad():
            x = paper.to_float(torch.from_numpy(images[start:start + chunk].copy()).to(device))
            mu, logvar = vae.encode(x)
            mse += (vae.decoder_mean(mu) - x).square().flatten(1).mean(1).double().sum().item()
            for generator in generators:
                eps = torch.randn(mu.shape, generator=generator).to(device)
                z = mu if vae.architecture.kind == "ae" else paper.reparameterise(mu, logvar, eps)
                nats = paper.reconstruction_nats(x, vae.decode(z))
                reconstruction += nats.double().sum().item() / len(seeds)
            mus.append(mu.cpu())
            logvars.append(logvar.cpu())
        yield None
    return _summary(vae, reconstruction / len(images), mse / len(images), torch.cat(mus), torch.cat(logvars), seeds)


def _summary(vae: paper.VAE, reconstruction: float, mse: float, mu: Tensor, logvar: Tensor,
             seeds: tuple[int, ...]) -> Measured:
    if vae.architecture.kind == "ae":
        kl = torch.zeros(mu.shape[1], dtype=torch.float64)
    else:
        kl = paper.kl_divergence(mu, logvar).double().mean(0)
    figures = {"reconstruction_nats": round(reconstruction, 3), "kl_nats": round(kl.sum().item(), 3),
               "mse": round(mse, 6), "pictures": len(mu), "eps_seeds": list(seeds)}
    if vae.architecture.kind == "vae":             # an autoencoder without a prior has no bound
        figures = {"negative_elbo": round(reconstruction + kl.sum().item(), 3)} | figures
    return Measured(figures, [round(value, 4) for value in kl.tolist()], mu, logvar)


def codes(found: Measured) -> tuple[dict[str, Tensor], dict]:
    """The tensors of codes.safetensors, and what config.json says of the map.

    mu, logvar: fp16 (N, d). With more than two dimensions also pca_mean (d,) and pca_axes (2, d):
    the map shows (mu - pca_mean) @ pca_axes.T.
    """
    tensors = {"mu": found.mu.half().contiguous(), "logvar": found.logvar.half().contiguous()}
    plane = found.mu
    if plane.shape[1] > 2:
        mean, axes = principal_plane(plane)
        tensors |= {"pca_mean": mean, "pca_axes": axes}
        plane = (plane - mean) @ axes.T                                  # (N, d) -> (N, 2)
    return tensors, {"kl_per_dim": found.kl_per_dim, "map_extent": extent(plane),
                     "map_plane": "z" if found.mu.shape[1] == 2 else "pca"}


def principal_plane(mu: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of the codes (d,) and their two directions of largest variance, (2, d), orthonormal.

    Each direction points to where its largest component is positive, so that it is the same every time.
    """
    mean = mu.mean(0)
    axes = torch.linalg.svd(mu - mean, full_matrices=False).Vh[:2]
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))         # (2, 1)
    return mean.contiguous(), (axes * largest.sign()).contiguous()


def extent(points: Tensor) -> list[float]:
    """[x0, x1, y0, y1] that shows all but the outermost 0.4 % of the points, (N, 2), with some room around."""
    low, high = np.quantile(points.numpy(), (0.002, 0.998), axis=0)
    room = 0.06 * (high - low) + 1e-3
    (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
    return [round(value, 3) for value in (x0, x1, y0, y1)]
