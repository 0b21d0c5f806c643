"""The two functions that a VAE learns: the encoder's and the decoder's networks.

The paper (appendix C) uses multilayer perceptrons with one hidden layer; these have residual
connections, so that they may be deeper. Pictures of 64 x 64 get convolutions, which need fewer weights.
All pictures are float (B, H, W, C) with values from 0 to 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualLayer(nn.Module):
    """x + W2 silu(W1 silu(x)); starts as the identity, so that depth costs nothing at first."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.into = nn.Linear(width, inner)
        self.back = nn.Linear(inner, width)
        nn.init.zeros_(self.back.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.back(nn.functional.silu(self.into(nn.functional.silu(x))))


class CodeLinear(nn.Linear):
    """A linear layer that reads or writes codes: always in full precision.

    Under bf16 autocast a coordinate near 2 would be rounded to steps of 0.016, as coarse as sigma itself.
    """

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


def mlp_encoder(shape: tuple[int, int, int], outputs: int, width: int, depth: int) -> nn.Module:
    """(B, H, W, C) -> (B, outputs)."""
    height, columns, channels = shape
    return nn.Sequential(
        nn.Flatten(),                                                   # (B, H*W*C)
        nn.Linear(height * columns * channels, width),
        *[ResidualLayer(width, width // 2) for _ in range(depth)],
        nn.SiLU(),
        CodeLinear(width, outputs),
    )


def mlp_decoder(shape: tuple[int, int, int], latent: int, width: int, depth: int) -> nn.Module:
    """(B, d) -> logits (B, H, W, C)."""
    height, columns, channels = shape
    return nn.Sequential(
        CodeLinear(latent, width),
        *[ResidualLayer(width, width // 2) for _ in range(depth)],
        nn.SiLU(),
        nn.Linear(width, height * columns * channels),
        nn.Unflatten(1, shape),                                         # (B, H, W, C)
    )


class ResidualConv(nn.Module):
    """x + conv1x1 silu(conv3x3 silu(x)), the same idea as ResidualLayer on a grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.into = nn.Conv2d(channels, channels, 3, padding=1)
        self.back = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.back.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.back(nn.functional.silu(self.into(nn.functional.silu(x))))


class ChannelsFirst(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)                                    # (B, H, W, C) -> (B, C, H, W)


class ChannelsLast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)                                    # (B, C, H, W) -> (B, H, W, C)


def conv_encoder(shape: tuple[int, int, int], outputs: int, width: int, depth: int) -> nn.Module:
    """(B, H, W, C) -> (B, outputs); H and W divisible by 8. Patches of 16 x 16 that overlap by half."""
    height, columns, channels = shape
    return nn.Sequential(
        ChannelsFirst(),
        nn.Conv2d(channels, width, 16, stride=8, padding=4),                # (B, w, H/8, W/8)
        *[ResidualConv(width) for _ in range(depth)],
        nn.SiLU(),
        nn.Conv2d(width, width // 4, 1),
        nn.Flatten(),
        nn.Linear(height * columns // 64 * (width // 4), 256),
        ResidualLayer(256, 256),
        nn.SiLU(),
        CodeLinear(256, outputs),
    )


def conv_decoder(shape: tuple[int, int, int], latent: int, width: int, depth: int) -> nn.Module:
    """(B, d) -> logits (B, H, W, C); H and W divisible by 8. Overlapping patches add up, so no seams show."""
    height, columns, channels = shape
    return nn.Sequential(
        CodeLinear(latent, 256),
        ResidualLayer(256, 256),
        nn.SiLU(),
        nn.Linear(256, height * columns // 64 * (width // 4)),
        nn.Unflatten(1, (width // 4, height // 8, columns // 8)),           # (B, w/4, H/8, W/8)
        nn.Conv2d(width // 4, width, 1),
        *[ResidualConv(width) for _ in range(depth)],
        nn.SiLU(),
        nn.ConvTranspose2d(width, channels, 16, stride=8, padding=4),       # (B, C, H, W)
        ChannelsLast(),
    )


NETWORKS = {"mlp": (mlp_encoder, mlp_decoder), "conv": (conv_encoder, conv_decoder)}
