"""A trained GAN on disk, as it was at several moments of its training, and what can be asked of it there.

A folder holds config.json and stage-<step>.safetensors for each stage, with the weights of both networks as 16-bit
floats: g.* and d.*. Stage 0 is not stored: it follows from the seed.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.gan import losses
from engines.gan.pictures.game import to_bytes
from engines.gan.pictures.networks import Discriminator, Generator, fresh
from engines.gan.pictures.rules import Architecture, Rules
from engines.runtime import BadInput


class Stages(nn.Module):
    """Both networks at each stage, in eval mode."""

    def __init__(self, architecture: Architecture, rules: Rules, facts: dict[str, Any]) -> None:
        """facts: what config.json says."""
        super().__init__()
        self.architecture, self.rules, self.facts = architecture, rules, facts
        self.pairs = nn.ModuleDict()

    def add(self, stage: int, g: Generator, d: Discriminator) -> None:
        g.batch_norm, d.batch_norm, d.spectral = self.rules.batch_norm, self.rules.batch_norm_d, self.rules.spectral
        self.pairs[str(stage)] = nn.ModuleList([g, d]).eval().requires_grad_(False)

    def pair(self, stage: int) -> tuple[Generator, Discriminator]:
        """Raises BadInput for a stage that there is not."""
        if str(stage) not in self.pairs:
            known = ", ".join(self.pairs)
            raise BadInput(f"the stage after {stage} steps was not kept; there are {known}: choose one of these.")
        return tuple(self.pairs[str(stage)])

    def draw(self, z: Tensor, labels: Tensor, *, stage: int) -> Tensor:
        """z (N, z_dim), labels (N,) -> uint8 (N, 32, 32, C)."""
        return to_bytes(self.pair(stage)[0](z, labels))

    def judge(self, x: Tensor, labels: Tensor, *, stage: int) -> Tensor:
        """Pictures from -1 to 1, (N, C, 32, 32), labels (N,) -> D's logits (N,)."""
        return self.pair(stage)[1](x, labels)

    def verdict(self, logits: Tensor) -> Tensor:
        return losses.verdict(self.rules.loss, logits)


def load(folder: Path) -> Stages:
    """A bundled or kept model, all of its stages, in fp32."""
    facts = json.loads((folder / "config.json").read_text("utf-8"))
    architecture, rules = Architecture(**facts["architecture"]), Rules(**facts["rules"])
    stages = Stages(architecture, rules, facts)
    for stage in facts["stages"]:
        g, d = fresh(architecture, facts["seed"])
        path = folder / f"stage-{stage}.safetensors"
        if stage or path.is_file():
            weights = load_file(path)
            for prefix, network in (("g.", g), ("d.", d)):
                own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
                network.load_state_dict({name: value.float() if value.is_floating_point() else value
                                         for name, value in own.items()})
        stages.add(stage, g, d)
    return stages


def save(folder: Path, weights: dict[int, dict[str, Tensor]], architecture: Architecture, rules: Rules,
         **facts: Any) -> dict[str, Any]:
    """Write a folder but for its checksums. weights: `packed`, by step. Gives the config."""
    config = {"name": folder.name, "family": "gan"} | facts | {
        "image": [32, 32, architecture.channels], "architecture": asdict(architecture), "rules": asdict(rules)}
    for stage, tensors in weights.items():
        save_file(tensors, folder / f"stage-{stage}.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return config


def packed(g: Generator, d: Discriminator, half: bool = True) -> dict[str, Tensor]:
    """The weights of both networks as they are stored, g.* and d.*."""
    return {f"{prefix}.{name}": (value.half() if half and value.is_floating_point() else value).detach().clone()
            .contiguous() for prefix, network in (("g", g), ("d", d)) for name, value in network.state_dict().items()}
