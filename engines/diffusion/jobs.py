"""The jobs of the diffusion stepper: one visitor's run, as the paper writes it (algorithm 2)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from engines.diffusion import SCHEDULES, Curves, Dissolve, Judge, Noise, Sample, Schedules, Step, Verdict
from engines.diffusion.classifier import Classifier
from engines.diffusion.model import Denoiser
from engines.diffusion.process import alpha_bars, betas, predicted_x_0, q_sample
from engines.diffusion.samplers import Sampler
from engines.runtime import BadInput, forward

EPS_RANGE = 3.0             # eps is shown from -3 to 3: 99.7 % of a standard normal


def sample(denoiser: Denoiser, p: Sample) -> Iterator[Step]:
    """Noise to pictures, one frame a step. Yields forward passes, which are shared with other visitors."""
    began = time.monotonic()
    sampler = Sampler(p.sampler, p.schedule, p.steps, p.eta)
    told = sampler.told(denoiser.trained_on)
    labels = denoiser.label(p.labels, p.count)                                      # (N,)
    generators = [torch.Generator().manual_seed(p.seed + k) for k in range(p.count)]
    noise = drawn(generators, denoiser.shape)                                       # (N, C, H, W)
    picture = None if p.picture is None else floats(p.picture, denoiser.shape)      # (1, C, H, W)
    mask = None if p.mask is None else torch.from_numpy(p.mask)[None, None]         # (1, 1, H, W)
    first, x_t = start(p, sampler, noise, picture)
    for earlier in range(first):                # the noise of the steps that are not taken again
        if sampler.draws(earlier):
            drawn(generators, denoiser.shape)
    sampler.begin(first)
    if p.begin is not None and p.begin.before.size and first:
        before = torch.from_numpy(p.begin.before)
        eps, _ = yield from believed(denoiser, before, told[first - 1], labels, p.guidance)
        sampler.recall(eps, first - 1, sampler.enter(before, first - 1))
    state = sampler.enter(x_t, first)
    for index in range(first, p.steps):
        x_t, alpha_bar_t = sampler.seen(state, index), sampler.alpha_bar[index]
        # 1. what does the network believe?
        eps, branches = yield from believed(denoiser, x_t, told[index], labels, p.guidance)
        yield frame(p, index, told[index], alpha_bar_t, x_t, eps, branches, time.monotonic() - began)
        # 2. one step back
        state = sampler.step(eps, index, state, generators)
        # 3. what is not masked is the picture, dissolved as far
        if mask is not None:
            known = q_sample(picture, sampler.alpha_bar[index + 1], noise)
            state = torch.where(mask, state, sampler.enter(known, index + 1))
    yield frame(p, p.steps, 0.0, torch.ones(()), state, torch.zeros_like(state), [], time.monotonic() - began)


def start(p: Sample, sampler: Sampler, noise: Tensor, picture: Tensor | None) -> tuple[int, Tensor]:
    """The step that a run begins at, and its x_t."""
    if p.begin is not None:
        x = torch.from_numpy(p.begin.x)
        if x.shape != noise.shape:
            raise BadInput(f"the state is {tuple(x.shape[1:])} and the model's pictures are {tuple(noise.shape[1:])}: "
                           "start the run anew.")
        return p.begin.index, x
    if picture is None or p.mask is not None and p.strength == 1:
        return 0, noise
    level = round(p.strength * 1000) - 1
    index = int((sampler.levels > level).sum())         # the first step that is no noisier than asked
    return index, q_sample(picture, sampler.alpha_bar[index], noise)


def believed(denoiser: Denoiser, x_t: Tensor, t: float, labels: Tensor, guidance: float) -> Iterator:
    """The predicted noise, (N, C, H, W), and the two branches it was made of, if there are two."""
    count = len(x_t)
    if guidance == 1 or not denoiser.classes or bool((labels == denoiser.no_label).all()):
        eps = yield forward(denoiser, x_t, torch.full((count,), t), labels)
        return eps.cpu(), []
    if guidance == 0:
        labels = torch.full_like(labels, denoiser.no_label)
        eps = yield forward(denoiser, x_t, torch.full((count,), t), labels)
        return eps.cpu(), []
    both = torch.cat([labels, torch.full_like(labels, denoiser.no_label)])         # (2N,)
    found = yield forward(denoiser, torch.cat([x_t, x_t]), torch.full((2 * count,), t), both)
    with_label, without_label = found.cpu().chunk(2)                               # 2 x (N, C, H, W)
    return without_label + guidance * (with_label - without_label), [with_label, without_label]


def frame(p: Sample, index: int, t: float, alpha_bar_t: Tensor, x_t: Tensor, eps: Tensor, branches: list[Tensor],
          seconds: float) -> Step:
    """What is shown of a step."""
    x_0 = predicted_x_0(x_t, alpha_bar_t, eps)
    sides = [to_bytes(predicted_x_0(x_t, alpha_bar_t, branch)) for branch in branches] or [to_bytes(x_0[:0])] * 2
    return Step(index, p.steps, t, float(alpha_bar_t), to_bytes(x_t), to_bytes(eps / EPS_RANGE), to_bytes(x_0), *sides,
                x_t.numpy(), seconds)


def drawn(generators: list[torch.Generator], shape: tuple[int, int, int]) -> Tensor:
    """One draw of standard normal noise for each picture, on the CPU: (N, C, H, W)."""
    return torch.cat([torch.randn((1, *shape), generator=generator) for generator in generators])


def floats(picture, shape: tuple[int, int, int]) -> Tensor:
    """uint8 (H, W, C) -> (1, C, H, W) from -1 to 1. Raises BadInput when it is not of the model's shape."""
    channels, height, width = shape
    if picture.shape != (height, width, channels):
        raise BadInput(f"the picture is {picture.shape[1]} x {picture.shape[0]} with {picture.shape[2]} colours; this "
                       f"model's are {width} x {height} with {channels}: scale it first.")
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1


def to_bytes(x: Tensor):
    """(N, C, H, W) from -1 to 1 -> uint8 (N, H, W, C); what lies outside is clipped."""
    return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


# --- the smaller questions ---------------------------------------------------------------------------------------

def dissolve(p: Dissolve) -> Iterator[Noise]:
    height, width, channels = p.picture.shape
    eps = drawn([torch.Generator().manual_seed(p.seed)], (channels, height, width))
    yield Noise(eps[0].permute(1, 2, 0).contiguous().numpy())


def schedules(p: Curves) -> Iterator[Schedules]:
    yield Schedules(torch.stack([betas(kind) for kind in SCHEDULES]).numpy(),
                    torch.stack([alpha_bars(kind) for kind in SCHEDULES]).numpy(),
                    Sampler("ddim", "linear", p.steps).levels.numpy())


def judge(classifier: Classifier, p: Judge) -> Iterator[Verdict]:
    x = torch.from_numpy(p.pictures).permute(0, 3, 1, 2).float() / 127.5 - 1       # (N, C, H, W)
    logits, features = yield forward(classifier, x)
    yield Verdict(logits.softmax(1).cpu().numpy(), features.cpu().numpy())
