"""Pictures varied before the detective sees them, real and made ones alike, so that few pictures last longer.

Zhao et al. 2020, arXiv:2006.10738, section 4: whatever is done to the real ones is done to the made ones too, and G
learns through it; so D cannot know them by heart, and G need not draw what was done.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

REACH = 4                    # pixels that a picture is moved by, at most: an eighth of its side
HOLE = 12                    # side of the square that is left out


def varied(x: Tensor, random: torch.Generator) -> Tensor:
    """(B, C, H, W): half of them mirrored, all of them moved, brightened or darkened, and with a hole."""
    count, _, height, width = x.shape
    # 1. mirrored
    x = torch.where(torch.rand((count, 1, 1, 1), generator=random) < 0.5, x.flip(3), x)
    # 2. moved: each row and column of the result is one of the picture with its edge drawn out
    right, down = (torch.randint(0, 2 * REACH + 1, (count, 1, 1), generator=random) for _ in range(2))
    wide = functional.pad(x, (REACH,) * 4, mode="replicate").permute(0, 2, 3, 1)       # (B, H + 2 REACH, W + .., C)
    rows, columns = torch.arange(height)[None, :, None] + down, torch.arange(width)[None, None, :] + right
    x = wide[torch.arange(count)[:, None, None], rows, columns].permute(0, 3, 1, 2)     # (B, C, H, W)
    # 3. lighter or darker
    x = x + (torch.rand((count, 1, 1, 1), generator=random) - 0.5) * 0.4
    # 4. a hole, often half outside
    top, left = (torch.randint(-HOLE // 2, side - HOLE // 2 + 1, (count, 1, 1, 1), generator=random)
                 for side in (height, width))
    row, column = torch.arange(height)[:, None], torch.arange(width)[None, :]
    hole = (row >= top) & (row < top + HOLE) & (column >= left) & (column < left + HOLE)   # (B, 1, H, W)
    return x.masked_fill(hole, 0.0)
