"""The network of denoising diffusion, eps_theta(x_t, t) (Ho et al. 2020, arXiv:2006.11239), and its files.

The network is diffusers' UNet2DModel, so that any checkpoint in diffusers' layout can be walked through
(`engines.diffusion.layout`). Conditioned models take a class; in ours the last one they know stands for "no label",
left there by training with labels dropped (Ho & Salimans 2022, arXiv:2207.12598, algorithm 1).

A latent diffusion model (Rombach et al. 2022, arXiv:2112.10752) does all of it in the latent space of a first stage:
x_t is a latent then, and what is shown of the predicted x_0 is decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DModel, VQModel
from torch import Tensor, nn

from engines.diffusion import NO_LABEL, layout
from engines.diffusion.compiled import Compiled
from engines.diffusion.lean import Lean
from engines.diffusion.process import betas, trained_betas
from engines.runtime import BadInput, device

PART = 2                    # rows that a thread of its own is worth: a visitor alone leaves the hub and the browser their core


class Denoiser(nn.Module):
    """eps_theta. States (B, C, H, W): pictures, values around -1 to 1, or latents; t (B,) float; labels (B,) int."""

    def __init__(self, unet: UNet2DModel, scheduler: dict | None = None, first_stage: Any = None, *,
                 free: bool = True) -> None:
        """scheduler: the scheduler_config.json that came with the network. first_stage: of a latent diffusion
        model, a VQModel or AutoencoderKL. free: the last class stands for "no label"."""
        super().__init__()
        self.unet, self.first_stage = unet, first_stage
        self.scheduler = scheduler or {}
        count = unet.config.num_class_embeds or 0
        self.classes = max(0, count - 1) if free else count     # classes that may be asked for; 0: unconditional
        self.conditional, self.free = count > 0, free
        self.no_label = self.classes
        size = unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        self.shape = (unet.config.in_channels, height, width)
        self.layout = torch.contiguous_format           # the order of pictures in memory
        self.compiled: Compiled | None = None
        self.lean: Lean | None = None
        self.predicts = self.scheduler.get("prediction_type", "epsilon")
        self.betas = trained_betas(self.scheduler) if self.scheduler else betas()
        self.trained_on = torch.cumprod(1.0 - self.betas, dim=0)

    def forward(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """What the network predicts, (B, C, H, W): the noise, unless it was trained otherwise."""
        args, alone = (x_t, t.float(), labels), len(x_t) < 2 * PART or x_t.device.type != "cpu" or torch.is_grad_enabled()
        count = 1 if alone else min(len(x_t) // PART, device.hands())
        if count == 1:
            return self._quickest(*args)(*args)
        parts = list(zip(*(each.tensor_split(count) for each in args), strict=True))
        ways = {len(part[0]): self._quickest(*part) for part in parts}
        return torch.cat(device.abreast(lambda part: ways[len(part[0])](*part), parts))

    def _quickest(self, *example: Tensor) -> Callable[..., Tensor]:
        """Of the networks that are there for so many rows."""
        found = None
        if self.compiled is not None and example[0].device.type == "cpu":
            found = self.compiled.get(self._plain, *example)
        if found is None and self.lean is not None:
            found = self.lean.get(example[0])
        return found or self._plain

    def _plain(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        x_t = x_t.contiguous(memory_format=self.layout)
        return self.unet(x_t, t, class_labels=labels if self.conditional else None).sample

    def noise(self, predicted: Tensor, x_t: Tensor, alpha_bar_t: Tensor) -> Tensor:
        """eps, from whatever the network predicts: v (Salimans & Ho 2022, arXiv:2202.00512, appendix D), or x_0."""
        if self.predicts == "v_prediction":
            return alpha_bar_t.sqrt() * predicted + (1 - alpha_bar_t).sqrt() * x_t
        if self.predicts == "sample":
            return (x_t - alpha_bar_t.sqrt() * predicted) / (1 - alpha_bar_t).sqrt()
        return predicted

    def decode(self, z: Tensor) -> Tensor:
        """Latents -> pictures (B, C, H, W), values around -1 to 1. Of a latent diffusion model only."""
        return self.first_stage.decode(z / self.first_stage.config.scaling_factor).sample

    def channels_last(self) -> Denoiser:
        """Keep weights and pictures with the channels innermost: the same sums, a quarter faster on a CPU."""
        self.layout = torch.channels_last
        self.unet.to(memory_format=self.layout)
        return self

    def label(self, asked: tuple[int, ...], count: int) -> Tensor:
        """The labels of `count` pictures, (count,). Raises BadInput."""
        for label in asked:
            if label >= self.classes:
                raise BadInput(f"The class is {label}; this model knows {self.classes}, numbered from 0: choose one of "
                               "these." if self.classes else "This model was trained without classes: ask for none.")
            if label == NO_LABEL and self.classes and not self.free:
                raise BadInput(f"This model was always told a class, so it cannot do without: choose one of its "
                               f"{self.classes}.")
        found = [self.no_label if label == NO_LABEL else label for label in asked]
        return torch.tensor(found * (count // len(found)))


def load(folder: Path, quick: bool = True) -> Denoiser:
    """A folder in diffusers' layout -> the network in fp32, in eval mode. Raises ModelFault.

    quick: trace the network, and take it up compiled for this processor, once that is there.
    """
    found = layout.read(folder)
    settings = {"use_safetensors": True, "low_cpu_mem_usage": False, "torch_dtype": torch.float32}
    unet = UNet2DModel.from_pretrained(found.unet, **settings).eval()
    first_stage = None
    if found.first_stage is not None:
        kind = VQModel if VQModel.load_config(found.first_stage)["_class_name"] == "VQModel" else AutoencoderKL
        first_stage = kind.from_pretrained(found.first_stage, **settings).eval()
    denoiser = Denoiser(unet, found.scheduler, first_stage, free=found.free or not found.classes).channels_last()
    if quick and (folder / "SHA256SUMS").is_file():
        denoiser.compiled = Compiled(folder)
        denoiser.lean = Lean(denoiser)
    return denoiser
