"""What may be asked of a GAN of pictures, as jobs for the runtime. `engines.gan.pictures` declares them.

Every pass through the networks of a bundled or kept model is yielded as a request, so that visitors who ask at the
same time share it. The networks of a moment are the visitor's own, and are asked directly.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import asdict

import torch
from safetensors.torch import save
from torch import Tensor

from engines.gan import pictures as asked
from engines.gan.pictures import moments
from engines.gan.pictures.game import latent, to_float
from engines.gan.pictures.stages import Stages, packed
from engines.runtime import BadInput
from engines.runtime.contract import forward

CHUNK = 128                  # pictures in one pass, so that a step stays short
OWN = -1                     # the stage by which the networks of a moment are known


def sample(*given: object) -> Generator[object, object, None]:
    """Make pictures, and let D of the same stage judge them."""
    stages, stage, p = _begun(given)
    labels = _labels(stages, p.labels)
    if len(p.z):
        z = _fitting(stages, torch.from_numpy(p.z))
    else:
        z = latent(stages.rules.z_kind, len(labels), stages.architecture.z_dim, torch.Generator().manual_seed(p.seed))
    images = yield from _drawn(stages, stage, z, labels)
    logits = yield from _judged(stages, stage, images, labels)
    yield asked.Samples(images.numpy(), z.numpy(), stages.verdict(logits).numpy())


def walk(*given: object) -> Generator[object, object, None]:
    """Pictures all over a plane of the latent space, its first row the top."""
    stages, stage, p = _begun(given)
    z_dim = stages.architecture.z_dim
    origin = _fitting(stages, torch.from_numpy(p.origin)[None])[0] if len(p.origin) else torch.zeros(z_dim)
    first, second = plane(stages.rules.z_kind, z_dim, p.seeds)
    x, y = torch.linspace(-p.extent, p.extent, p.columns), torch.linspace(p.extent, -p.extent, p.rows)
    z = origin + x[None, :, None] * first + y[:, None, None] * second                  # (rows, columns, z_dim)
    flat = z.reshape(-1, z_dim)
    images = yield from _drawn(stages, stage, flat, _labels(stages, (p.label,) * len(flat)))
    yield asked.Walked(images.view(p.rows, p.columns, *images.shape[1:]).numpy(), z.numpy())


def plane(kind: str, z_dim: int, seeds: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Two directions at right angles, (z_dim,) each, as long as a z of that kind is on average."""
    first, second = (torch.randn(z_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds)
    first = first / first.norm()
    across = second - (second @ first) * first
    if across.norm() < 1e-3 * second.norm():
        raise BadInput(f"the seeds {seeds[0]} and {seeds[1]} give one and the same direction: choose two others.")
    length = (z_dim if kind == "normal" else z_dim / 3) ** 0.5
    return first * length, across / across.norm() * length


def judge(*given: object) -> Generator[object, object, None]:
    """D's verdict on pictures."""
    stages, stage, p = _begun(given)
    channels = stages.architecture.channels
    if p.pictures.shape[3] != channels:
        raise BadInput(f"the pictures have {p.pictures.shape[3]} channels; this model's have {channels}: convert them.")
    logits = yield from _judged(stages, stage, torch.from_numpy(p.pictures.copy()), _labels(stages, p.labels))
    yield asked.Verdicts(stages.verdict(logits).numpy(), logits.numpy())


def export(*given: object) -> Generator[object, object, None]:
    """Both networks in one file."""
    stages, stage, p = _begun(given)
    g, d = stages.pair(stage)
    step = p.moment.step if p.moment is not None else stage
    facts = {"family": "gan", "dataset": stages.facts["dataset"], "step": step, "rules": asdict(stages.rules),
             "architecture": asdict(stages.architecture)}
    tensors = {name: value.cpu() for name, value in packed(g, d, half=False).items()}
    content = save(tensors, metadata={"format": "pt", "gan": json.dumps(facts)})
    yield asked.Exported(f"gan-{facts['dataset']}-{step}.safetensors", content)


# --- shared ------------------------------------------------------------------------------------------------------

def _begun(given: tuple) -> tuple[Stages, int, object]:
    """The model and the stage that the parameters ask for."""
    *leased, p = given
    if p.moment is None:
        leased[0].pair(p.stage)                     # says at once that a stage was not kept
        return leased[0], p.stage, p
    own = Stages(p.moment.architecture, p.moment.rules, {"dataset": p.moment.dataset})
    own.add(OWN, *moments.networks(p.moment))
    return own, OWN, p


def _labels(stages: Stages, labels: tuple[int, ...]) -> Tensor:
    """int64 (N,). Raises BadInput for a class that the model does not know."""
    most = stages.architecture.classes - 1
    for label in labels:
        if label > most:
            raise BadInput(f"class {label} was asked for; this model knows 0 to {most}: choose one of these.")
    return torch.tensor(labels)


def _fitting(stages: Stages, z: Tensor) -> Tensor:
    if z.shape[1] != stages.architecture.z_dim:
        raise BadInput(f"z has {z.shape[1]} numbers; this model's has {stages.architecture.z_dim}: give as many.")
    return z.clone()


def _drawn(stages: Stages, stage: int, z: Tensor, labels: Tensor) -> Generator[object, object, Tensor]:
    """uint8 (N, 32, 32, C), on the CPU."""
    place = next(stages.parameters()).device
    return (yield from _passes(stages.draw, stage, z.to(place), labels.to(place)))


def _judged(stages: Stages, stage: int, images: Tensor, labels: Tensor) -> Generator[object, object, Tensor]:
    """D's logits of uint8 (N, 32, 32, C), float32 (N,), on the CPU."""
    place = next(stages.parameters()).device
    return (yield from _passes(stages.judge, stage, to_float(images.to(place)), labels.to(place)))


def _passes(function: object, stage: int, *args: Tensor) -> Generator[object, object, Tensor]:
    parts = []
    for part in zip(*(each.split(CHUNK) for each in args)):
        if stage == OWN:
            parts.append(function(*part, stage=stage).cpu())
            yield None
        else:
            parts.append((yield forward(function, *part, stage=stage)).cpu())
    return torch.cat(parts)
