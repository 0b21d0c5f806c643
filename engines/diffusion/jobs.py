"""The jobs of the diffusion stepper: one visitor's run, as the paper writes it (algorithm 2)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from engines.diffusion import MAX_PIXELS, SCHEDULES, Curves, Dissolve, Judge, Noise, Sample, Schedules, Step, Verdict
from engines.diffusion import layout
from engines.diffusion.classifier import Classifier
from engines.diffusion.model import Denoiser
from engines.diffusion.process import betas, predicted_x_0, q_sample, trained_betas
from engines.diffusion.samplers import Sampler
from engines.runtime import BadInput, forward, models

EPS_RANGE = 3.0             # eps is shown from -3 to 3: 99.7 % of a standard normal


def sample(denoiser: Denoiser, p: Sample) -> Iterator[Step]:
    """Noise to pictures, one frame a step. Yields forward passes, which are shared with other visitors."""
    began = time.monotonic()
    check(p, denoiser)
    sampler = Sampler(p.sampler, p.schedule, p.steps, p.eta, denoiser.betas)
    told = sampler.told(denoiser.trained_on)
    labels = rows(denoiser, denoiser.label(p.labels, p.count), p.guidance)          # (N,) or (2N,)
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
        eps, _ = yield from believed(denoiser, before, told[first - 1], sampler.alpha_bar[first - 1], labels, p.guidance)
        sampler.recall(eps, first - 1, sampler.enter(before, first - 1))
    state, alpha_bars = sampler.enter(x_t, first), sampler.alpha_bar.tolist()
    for index in range(first, p.steps):
        x_t = sampler.seen(state, index)
        # 1. what does the network believe?
        eps, branches = yield from believed(denoiser, x_t, told[index], sampler.alpha_bar[index], labels, p.guidance)
        yield (yield from frame(denoiser, p, index, told[index], alpha_bars[index], x_t, eps, branches, began))
        # 2. one step back
        state = sampler.step(eps, index, state, generators)
        # 3. what is not masked is the picture, dissolved as far
        if mask is not None:
            known = q_sample(picture, sampler.alpha_bar[index + 1], noise)
            state = torch.where(mask, state, sampler.enter(known, index + 1))
    yield (yield from frame(denoiser, p, p.steps, 0.0, 1.0, state, torch.zeros_like(state), [], began))


def check(p: Sample, denoiser: Denoiser) -> None:
    """Raises BadInput for what this model cannot do."""
    _, height, width = denoiser.shape
    most = MAX_PIXELS // (height * width)
    if p.count > most:
        raise BadInput(f"{p.count} pictures of {width} x {height} were asked for at once; {max(1, most)} fit: ask for fewer.")
    if p.picture is not None and denoiser.first_stage is not None:
        raise BadInput("This model works in a latent space, where a picture cannot be dissolved pixel by pixel: "
                       "choose a model that works on pixels.")


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


def rows(denoiser: Denoiser, labels: Tensor, guidance: float) -> Tensor:
    """The labels that the network is told in each pass: (N,), or (2N,) with all of them a second time without one."""
    none = torch.full_like(labels, denoiser.no_label)
    if guidance == 1 or not denoiser.classes or not denoiser.free or torch.equal(labels, none):
        return labels
    return none if guidance == 0 else torch.cat([labels, none])


def believed(denoiser: Denoiser, x_t: Tensor, t: float, alpha_bar_t: Tensor, labels: Tensor, guidance: float) -> Iterator:
    """The predicted noise, (N, C, H, W), and the two branches it was made of, if there are two. labels: from `rows`."""
    if len(labels) == len(x_t):
        found = yield forward(denoiser, x_t, torch.full((len(x_t),), t), labels)
        return denoiser.noise(found.cpu(), x_t, alpha_bar_t), []
    found = yield forward(denoiser, torch.cat([x_t, x_t]), torch.full((len(labels),), t), labels)
    with_label, without_label = (denoiser.noise(each, x_t, alpha_bar_t) for each in found.cpu().chunk(2))  # (N, C, H, W)
    return without_label + guidance * (with_label - without_label), [with_label, without_label]


def frame(denoiser: Denoiser, p: Sample, index: int, t: float, alpha_bar_t: float, x_t: Tensor, eps: Tensor,
          branches: list[Tensor], began: float) -> Iterator:
    """What is shown of a step."""
    beliefs = [predicted_x_0(x_t, alpha_bar_t, each) for each in (eps, *branches)]  # (N, C, H, W) each
    if denoiser.first_stage is not None:
        decoded = yield forward(denoiser.decode, torch.cat(beliefs))
        beliefs = list(decoded.cpu().chunk(len(beliefs)))
        size = beliefs[0].shape[-2:]
        seen, noise = enlarged(x_t, size), enlarged(eps, size)
    else:
        seen, noise = x_t, eps
    pictures = to_bytes(torch.cat([seen, noise / EPS_RANGE, *beliefs]))            # (3N or 5N, H, W, C), in one go
    shown, eps_seen, x_0, *sides = (pictures[at:at + len(x_t)] for at in range(0, len(pictures), len(x_t)))
    return Step(index, p.steps, t, alpha_bar_t, shown, eps_seen, x_0, *(sides or [x_0[:0]] * 2), x_t.numpy(),
                time.monotonic() - began)


def enlarged(z: Tensor, size: tuple[int, int]) -> Tensor:
    """The first three channels of latents (N, C, h, w) as (N, 3, H, W), each number a square of pixels."""
    return nn.functional.interpolate(z[:, [0, min(1, z.shape[1] - 1), min(2, z.shape[1] - 1)]], size, mode="nearest")


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
    return ((x + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


# --- the smaller questions ---------------------------------------------------------------------------------------

def dissolve(p: Dissolve) -> Iterator[Noise]:
    height, width, channels = p.picture.shape
    eps = drawn([torch.Generator().manual_seed(p.seed)], (channels, height, width))
    yield Noise(eps[0].permute(1, 2, 0).contiguous().numpy())


def schedules(p: Curves) -> Iterator[Schedules]:
    curves = [betas(kind) for kind in SCHEDULES]
    if p.model:
        curves.append(trained_betas(layout.read(models.folder(p.model)).scheduler))
    beta = torch.stack(curves)                                                     # (3 or 4, T)
    yield Schedules(beta.numpy(), torch.cumprod(1.0 - beta, dim=1).numpy(),
                    Sampler("ddim", "linear", p.steps).levels.numpy())


def judge(classifier: Classifier, p: Judge) -> Iterator[Verdict]:
    x = torch.from_numpy(p.pictures).permute(0, 3, 1, 2).float() / 127.5 - 1       # (N, C, H, W)
    logits, features = yield forward(classifier, x)
    yield Verdict(logits.softmax(1).cpu().numpy(), features.cpu().numpy())
