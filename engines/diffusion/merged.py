"""The network rearranged for a processor: the same function in fewer and larger calls.

For one picture at a time, half of a pass goes into what is said between the sums. So what can be one product is one:
the step's embedding for all blocks at once, query with key and value, convolutions of one pixel as the products they
are. Where a compiler follows, normalisation is written out as well, in a way that it turns into whole vectors: with the
channels innermost, it takes the two channels of a group for all that may be added up at once. The same to 1e-5.
"""

from __future__ import annotations

import copy

import torch
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention, FusedAttnProcessor2_0
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional as F


class Merged(nn.Module):
    """eps_theta(x_t, t) of a UNet2DModel; arguments as Denoiser.forward. Shares no weights with what it was made from."""

    def __init__(self, unet: UNet2DModel, *, norms: bool) -> None:
        """norms: write normalisation out, for a compiler. Raises ValueError for a kind of network that it cannot take."""
        super().__init__()
        _check(unet)
        self.unet = copy.deepcopy(unet)
        self.times = _times(self.unet)
        for module in self.unet.modules():
            if isinstance(module, Attention):
                module.fuse_projections()
                module.set_processor(FusedAttnProcessor2_0())
        for parent in list(self.unet.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Conv2d) and child.kernel_size == (1, 1):
                    setattr(parent, name, _Pointwise(child))
                elif norms and isinstance(child, nn.GroupNorm):
                    setattr(parent, name, _GroupNorm(child))

    def forward(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """x_t: (B, C, H, W); t: (B,) float; labels: (B,) int. (B, C, H, W)."""
        unet = self.unet
        embedding = unet.time_embedding(unet.time_proj(t))                          # (B, d)
        if unet.class_embedding is not None:
            embedding = embedding + unet.class_embedding(labels)
        times = self.times(F.silu(embedding))                                       # (B, channels of all blocks)
        x = unet.conv_in(x_t.contiguous(memory_format=torch.channels_last))
        left = [x]                                  # what the way up is given of the way down
        for block in unet.down_blocks:
            x, told = block(hidden_states=x, temb=times)
            left += told
        x = unet.mid_block(x, times)
        for block in unet.up_blocks:
            count = len(block.resnets)
            x = block(x, tuple(left[-count:]), times)
            del left[-count:]
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


def _check(unet: UNet2DModel) -> None:
    config = unet.config
    plain = (config.time_embedding_type == "positional" and config.class_embed_type is None
             and config.resnet_time_scale_shift == "default" and not config.center_input_sample
             and unet.mid_block is not None)
    blocks = [module for module in unet.modules() if isinstance(module, ResnetBlock2D)]
    if not plain or any(block.time_emb_proj is None for block in blocks) or any(
            hasattr(block, "skip_conv") for block in (*unet.down_blocks, *unet.up_blocks)):
        raise ValueError("a kind of UNet2DModel that is not rearranged")


def _times(unet: UNet2DModel) -> nn.Linear:
    """The blocks' projections of the step's embedding as one; each block is left to take its part."""
    weights, biases, at = [], [], 0
    for block in unet.modules():
        if isinstance(block, ResnetBlock2D):
            projection = block.time_emb_proj
            weights.append(projection.weight.detach())
            biases.append(projection.bias.detach())
            block.time_emb_proj = _Part(at, at + projection.out_features)
            block.skip_time_act = True              # it has been applied before the projection
            at += projection.out_features
    return _linear(torch.cat(weights), torch.cat(biases))


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    made.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return made


class _Part(nn.Module):
    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, times: Tensor) -> Tensor:
        return times[:, self.start:self.stop]


class _Pointwise(nn.Module):
    """A convolution of one pixel, as a product over the channels."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        bias = convolution.bias
        self.linear = _linear(convolution.weight.detach()[:, :, 0, 0], None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _GroupNorm(nn.Module):
    """Wu & He 2018, arXiv:1803.08494, equation 1, for (B, C, ...) with the channels innermost in memory."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.eps, self.weight, self.bias = norm.eps, norm.weight, norm.bias
        group = torch.arange(norm.num_channels) // (norm.num_channels // norm.num_groups)
        same = (group[:, None] == group[None]).float()                              # (C, C)
        self.register_buffer("share", same / same.sum(1, keepdim=True))             # averages within a group

    def forward(self, x: Tensor) -> Tensor:
        places, wide = list(range(2, x.dim())), (..., *[None] * (x.dim() - 2))
        mean = self._within(x.mean(places))                                         # (B, C)
        centred = x - mean[wide]
        scale = self.weight * torch.rsqrt(self._within((centred * centred).mean(places)) + self.eps)
        return x * scale[wide] + (self.bias - mean * scale)[wide]

    def _within(self, each: Tensor) -> Tensor:
        """(B, C) -> the mean over each channel's group, (B, C)."""
        return (each[:, None, :] * self.share).sum(-1)
