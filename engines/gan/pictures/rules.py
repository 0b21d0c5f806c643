"""What the game of pictures is played by, and what a run can go on from. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engines import gan
from engines.checks import whole

Array = np.ndarray


@dataclass(frozen=True)
class Architecture:
    """channels: of a picture, 1 or 3. width: channels of the finest layer; the coarser ones have more."""

    channels: int = 1
    classes: int = 10
    z_dim: int = 64
    width: int = 32
    label_dim: int = 16      # numbers that stand for the class, beside z

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels at 16 x 16, 8 x 8 and 4 x 4."""
        return self.width, self.width * 3 // 2, self.width * 2


@dataclass(frozen=True)
class Rules(gan.Rules):
    """The rules of the game; the defaults are those that the bundled models of digits and clothes were trained by.

    Where a rule belongs to one loss only, the others leave it alone. d_steps: of the detective, to one of the forger.
    clip: bound of D's weights ("wgan"). gp: weight of the gradient penalty ("wgan-gp"). r1: gamma of the penalty on
    real pictures, for any loss. noise: standard deviation of what is added to all pictures before they are judged,
    which run from -1 to 1. smoothing: real counts as 1 - smoothing ("minimax", "non-saturating", "least-squares").
    spectral: of D's weights. batch_norm: of G; batch_norm_d: of D. augment: D sees all pictures mirrored, moved,
    brightened and with holes, which makes few pictures last longer.
    """

    loss: str = "non-saturating"
    lr_g: float = 0.001
    lr_d: float = 0.001
    beta1: float = 0.0
    beta2: float = 0.99
    d_steps: int = 1
    batch: int = 64
    z_dim: int = 64
    z_kind: Literal["normal", "uniform"] = "normal"
    noise: float = 0.0
    smoothing: float = 0.0
    r1: float = 0.3
    gp: float = 10.0
    clip: float = 0.01
    spectral: bool = False
    batch_norm: bool = True
    batch_norm_d: bool = False
    augment: bool = False

    def __post_init__(self) -> None:
        self.check_shared()
        whole("the batch", self.batch, 8, 128)
        whole("the dimension of z", self.z_dim, 2, 128)


@dataclass(frozen=True, eq=False)
class Moment:
    """What a run can go on from, exactly as it would have. Made by the engine; a page never sends one.

    seed: of the run, by which it draws what it shows. g, d: float32 (parameters,) with the optimisers' memories
    g_memory, d_memory: float32 (2, parameters), and updates of each, by which Adam corrects its bias. extra: running
    statistics and singular vectors. random: uint8, the state of the random numbers.
    """

    dataset: str
    rules: Rules
    architecture: Architecture
    step: int
    seed: int
    g: Array
    d: Array
    g_memory: Array
    d_memory: Array
    updates: tuple[int, int]
    extra: Array
    random: Array
