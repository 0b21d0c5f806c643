"""eps_theta for points of the plane: what a UNet is for pictures, small enough to learn in ten seconds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.diffusion.plane import T
from engines.runtime import ModelFault

WIDTH = 128
DEPTH = 2                        # residual layers
WAVES = 16                       # pairs of sine and cosine that t is told by


class Residual(nn.Module):
    """x + W2 silu(W1 silu(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.into, self.back = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.back(nn.functional.silu(self.into(nn.functional.silu(x))))


class Noise(nn.Module):
    """The noise in x_t: x_t (B, 2), t (B,) from 1 to T -> eps (B, 2). It begins by believing in none."""

    def __init__(self, width: int = WIDTH, depth: int = DEPTH) -> None:
        super().__init__()
        self.register_buffer("waves", torch.exp(torch.linspace(0.0, math.log(1000), WAVES)), persistent=False)
        self.place = nn.Linear(2, width)
        self.level = nn.Sequential(nn.Linear(2 * WAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.layers = nn.Sequential(*[Residual(width) for _ in range(depth)], nn.SiLU())
        self.out = nn.Linear(width, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        angle = t[:, None] / T * self.waves                                    # (B, WAVES)
        level = self.level(torch.cat([angle.sin(), angle.cos()], dim=1))       # (B, width)
        return self.out(self.layers(self.place(x_t) + level))


class Plane(nn.Module):
    """A trained network with the data that it was trained on. x_0 (M, 2)."""

    def __init__(self, noise: Noise, x_0: Tensor) -> None:
        super().__init__()
        self.noise = noise
        self.register_buffer("x_0", x_0)

    def eps(self, x_t: Tensor, t: int) -> Tensor:
        """The noise believed in at places x_t (..., 2) of the CPU, all at level t; comes back there."""
        flat = x_t.reshape(-1, 2).to(self.x_0.device)                          # (..., 2) -> (B, 2)
        return self.noise(flat, torch.full((len(flat),), float(t), device=flat.device)).reshape(x_t.shape).cpu()


def save(plane: Plane, folder: Path, **facts: object) -> None:
    """Write config.json and model.safetensors into `folder`, which must exist."""
    save_file({name: value.contiguous() for name, value in plane.state_dict().items()}, folder / "model.safetensors")
    config = {**facts, "width": plane.noise.place.out_features, "depth": len(plane.noise.layers) - 1}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


def load(folder: Path) -> Plane:
    """Read what `save` wrote. Raises ModelFault, for a model of another kind too."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        weights = load_file(folder / "model.safetensors")
        plane = Plane(Noise(config["width"], config["depth"]), torch.zeros_like(weights["x_0"]))
        plane.load_state_dict(weights)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError) as error:
        raise ModelFault(f"The model {folder.name} is no network of the plane: train one here.") from error
    return plane.eval()
