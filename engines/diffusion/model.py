"""The network of denoising diffusion, eps_theta(x_t, t) (Ho et al. 2020, arXiv:2006.11239), and its files.

The network is diffusers' UNet2DModel, so that any checkpoint in diffusers' layout can be walked through:

    <folder>/model_index.json                          which pipeline it belongs to
    <folder>/unet/config.json, diffusion_pytorch_model.safetensors
    <folder>/scheduler/scheduler_config.json           the schedule that it was trained with

Conditioned models take a class; the last one they know stands for "no label", left there by training with
labels dropped (Ho & Salimans 2022, arXiv:2207.12598, algorithm 1).
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn

from engines.diffusion import NO_LABEL
from engines.diffusion.compiled import Compiled
from engines.diffusion.process import alpha_bars
from engines.runtime import BadInput, ModelFault


class Denoiser(nn.Module):
    """eps_theta. Pictures (B, C, H, W), values around -1 to 1; t (B,) float; labels (B,) int."""

    def __init__(self, unet: UNet2DModel, scheduler: dict | None = None) -> None:
        """scheduler: the scheduler_config.json that came with the network."""
        super().__init__()
        self.unet = unet
        self.scheduler = scheduler or {}
        count = unet.config.num_class_embeds
        self.classes = (count or 1) - 1                 # classes that may be asked for; 0: unconditional
        self.no_label = self.classes
        size = unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        self.shape = (unet.config.in_channels, height, width)
        self.layout = torch.contiguous_format           # the order of pictures in memory
        self.compiled: Compiled | None = None
        self.trained_on = alpha_bars(_kind(self.scheduler), int(self.scheduler.get("num_train_timesteps", 1000)))

    def forward(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """The predicted noise, (B, C, H, W)."""
        if self.compiled is not None and x_t.device.type == "cpu":
            quick = self.compiled.get(self._plain, x_t, t, labels)
            if quick is not None:
                return quick(x_t, t, labels)
        return self._plain(x_t, t, labels)

    def _plain(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        x_t = x_t.contiguous(memory_format=self.layout)
        return self.unet(x_t, t, class_labels=labels if self.classes else None).sample

    def channels_last(self) -> Denoiser:
        """Keep weights and pictures with the channels innermost: the same sums, a quarter faster on a CPU."""
        self.layout = torch.channels_last
        self.unet.to(memory_format=self.layout)
        return self

    def label(self, asked: tuple[int, ...], count: int) -> Tensor:
        """The labels of `count` pictures, (count,). Raises BadInput."""
        for label in asked:
            if label >= self.classes:
                raise BadInput(f"the class is {label}; this model knows {self.classes}, numbered from 0: choose one of "
                               "these." if self.classes else "this model was trained without classes: ask for none.")
        found = [self.no_label if label == NO_LABEL else label for label in asked]
        return torch.tensor(found * (count // len(found)))


def _kind(scheduler: dict) -> str:
    named = {"linear": "linear", "squaredcos_cap_v2": "cosine", "sigmoid": "sigmoid"}
    kind = scheduler.get("beta_schedule", "linear")
    ends = scheduler.get("beta_start", 1e-4), scheduler.get("beta_end", 0.02)
    if kind not in named or ends != (1e-4, 0.02):
        raise ModelFault(f"This model was trained with the schedule {kind!r} from {ends[0]:g} to {ends[1]:g}; "
                         "linear, cosine and sigmoid from 0.0001 to 0.02 are understood here: choose another model.")
    return named[kind]


def load(folder: Path, quick: bool = True) -> Denoiser:
    """A folder in diffusers' layout -> the network in fp32, in eval mode. Raises ModelFault.

    quick: take up the network compiled for this processor, once there is one.
    """
    place = folder / "unet" if (folder / "unet").is_dir() else folder
    settings = folder / "scheduler" / "scheduler_config.json"
    if not settings.is_file():
        settings = folder / "scheduler_config.json"
    scheduler = json.loads(settings.read_text("utf-8")) if settings.is_file() else {}
    if scheduler.get("prediction_type", "epsilon") != "epsilon":
        raise ModelFault(f"This model predicts {scheduler['prediction_type']!r} and not the noise: choose another model.")
    unet = UNet2DModel.from_pretrained(place, use_safetensors=True, low_cpu_mem_usage=False, torch_dtype=torch.float32)
    if unet.config.out_channels != unet.config.in_channels:
        raise ModelFault("This model also predicts a variance, which is not understood here: choose another model.")
    denoiser = Denoiser(unet.eval(), scheduler).channels_last()
    if quick and (folder / "SHA256SUMS").is_file():
        denoiser.compiled = Compiled(folder)
    return denoiser
