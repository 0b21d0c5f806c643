"""A linear layer for rows that are few: one is quickest as it is, several with the weights packed as the processor likes
them, which is what a compiler would choose; 2 times as quick for 16 rows on the machine it was tried on.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor, nn
from torch.nn import functional as F

log = logging.getLogger(__name__)

ROWS = 64                    # more are as quick as they are
LARGEST = 2**21              # numbers in a weight that is packed, which takes its memory twice: small models only
TOLERANCE = 1e-4             # of the largest number of what comes out


class Dense(nn.Module):
    """x W + b, with W as (in, out), or (out, in) where it is turned; with GELU (tanh) after it if wanted.

    It is packed when it is made, so it is made once the weights are where they stay. TorchScript can read it.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, turned: bool = False) -> None:
        super().__init__()
        self.weight, self.turned, self.rows = weight.detach(), turned, ROWS
        self.bias = weight.new_zeros(weight.shape[0 if turned else 1]) if bias is None else bias.detach()
        self.packed, self.is_packed = self.weight, False
        if weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() <= LARGEST:
            self._pack()

    def forward(self, x: Tensor, gelu: bool = False) -> Tensor:
        """(N, in) -> (N, out)."""
        if self.is_packed and 1 < x.size(0) <= self.rows:
            return self._quick(x, gelu)
        return self._plain(x, gelu)

    def _plain(self, x: Tensor, gelu: bool) -> Tensor:
        found = torch.addmm(self.bias, x, self.weight.t() if self.turned else self.weight)
        return F.gelu(found, approximate="tanh") if gelu else found

    def _quick(self, x: Tensor, gelu: bool) -> Tensor:
        if gelu:
            return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "gelu", [], "tanh")
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")

    @torch.no_grad()
    def _pack(self) -> None:
        """Leaves everything as it is where the processor has no such way, or another result."""
        try:
            weight = (self.weight if self.turned else self.weight.T).contiguous()
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, 16)
            x = torch.linspace(-1, 1, 16 * weight.shape[1]).view(16, -1)
            for gelu in (False, True):
                expected = self._plain(x, gelu)
                if not (self._quick(x, gelu) - expected).abs().max() <= TOLERANCE * max(1.0, expected.abs().max().item()):
                    raise ValueError("the result is another")
            self.is_packed = True
        except Exception as fault:      # of whatever kind: nothing is lost
            log.info("weights cannot be packed here, and serve as they are: %s", fault)
            self.packed = self.weight
