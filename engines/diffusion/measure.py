"""How good what a diffusion model draws is: recognised, alike as a crowd, and not merely remembered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engines.diffusion.classifier import Classifier
from engines.diffusion.jobs import to_bytes
from engines.diffusion.model import Denoiser
from engines.diffusion.samplers import Sampler

BATCH = 50
NEIGHBOURS = 3              # k of precision and recall, as in the paper


@torch.inference_mode()
def draw(denoiser: Denoiser, labels: np.ndarray, *, steps: int = 50, guidance: float = 1.5, kind: str = "ddim",
         seed: int = 0) -> Iterator[np.ndarray]:
    """Draw a picture for each label, (n,), all noise from one seed; yields uint8 (b, H, W, C), BATCH at a time."""
    random = torch.Generator().manual_seed(seed)
    for part in np.array_split(labels, max(1, -(-len(labels) // BATCH))):
        sampler = Sampler(kind, "linear", steps)
        told, given = sampler.told(denoiser.trained_on), torch.from_numpy(part.astype(np.int64))
        left_out = torch.full_like(given, denoiser.no_label)
        state = sampler.enter(torch.randn((len(part), *denoiser.shape), generator=random), 0)
        for index in range(steps):
            x_t, t = sampler.seen(state, index), torch.full((len(part),), float(told[index]))
            eps = denoiser(x_t, t, given)
            if guidance != 1:
                without = denoiser(x_t, t, left_out)
                eps = without + guidance * (eps - without)
            state = sampler.step(eps, index, state, random)
        yield to_bytes(state)


@torch.inference_mode()
def judged(classifier: Classifier, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, H, W, C) -> the class that each is taken for, int (N,), and its features, float64 (N, F)."""
    found = [classifier(torch.from_numpy(part).permute(0, 3, 1, 2).float() / 127.5 - 1)
             for part in np.array_split(pictures, max(1, len(pictures) // 250))]
    return (torch.cat([logits.argmax(1) for logits, _ in found]).numpy(),
            torch.cat([features for _, features in found]).double().numpy())


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The Fréchet distance between normal distributions fitted to two crowds of features (Heusel et al. 2017,
    arXiv:1706.08500): |mu_a - mu_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^1/2); a (N, F), b (M, F)."""
    means, spreads = (a.mean(0), b.mean(0)), (np.cov(a, rowvar=False), np.cov(b, rowvar=False))
    values, vectors = np.linalg.eigh(spreads[0])
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T                     # C_a^1/2
    cross = np.sqrt(np.linalg.eigvalsh(root @ spreads[1] @ root).clip(0)).sum()
    return float(np.square(means[0] - means[1]).sum() + np.trace(spreads[0]) + np.trace(spreads[1]) - 2 * cross)


def precision_recall(real: np.ndarray, made: np.ndarray, k: int = NEIGHBOURS) -> tuple[float, float]:
    """(share of `made` that lies within `real`, share of `real` that lies within `made`), each crowd thought of as
    balls that reach to the k-th neighbour (Kynkäänniemi et al. 2019, arXiv:1904.06991); both (N, F)."""
    real, made = torch.from_numpy(real), torch.from_numpy(made)
    return _within(made, real, k), _within(real, made, k)


def _within(points: Tensor, crowd: Tensor, k: int) -> float:
    reach = torch.cdist(crowd, crowd).kthvalue(k + 1, dim=1).values            # the nearest is the point itself
    return float((torch.cdist(points, crowd) <= reach).any(1).double().mean())


def nearest(pictures: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The distance of each picture to the nearest training picture: root of the mean squared difference of pixels, in
    grey levels of 0 to 255. pictures uint8 (N, H, W, C), training uint8 (M, H, W, C) -> float (N,)."""
    flat = torch.from_numpy(pictures.reshape(len(pictures), -1)).float()
    best = torch.full((len(flat),), np.inf)
    for part in np.array_split(training, max(1, len(training) // 5000)):
        best = torch.minimum(best, torch.cdist(flat, torch.from_numpy(part.reshape(len(part), -1)).float()).min(1).values)
    return (best / flat.shape[1] ** 0.5).numpy()


def nearest_others(training: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The same for some of the training pictures, by their places (N,), each against all others -> float (N,)."""
    flat = torch.from_numpy(training.reshape(len(training), -1)).float()
    apart = torch.cdist(flat[chosen], flat)                                    # (N, M)
    apart[torch.arange(len(chosen)), torch.from_numpy(chosen)] = np.inf
    return (apart.min(1).values / flat.shape[1] ** 0.5).numpy()
