"""A linear layer for rows that are few: one is quickest as it is, several with the weights packed as the processor likes
them, which is what a compiler would choose; 2 times as quick for 16 rows on the machine it was tried on.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor
from torch.nn import functional as F

log = logging.getLogger(__name__)

ROWS = 64                    # more are as quick as they are
LARGEST = 2**21              # numbers in a weight that is packed, which takes its memory twice: small models only
TOLERANCE = 1e-4             # of the largest number of what comes out


class Dense:
    """x W + b, with W as (in, out), or (out, in) where it is turned; with GELU (tanh) after it if wanted."""

    def __init__(self, weight: Tensor, bias: Tensor | None, turned: bool = False) -> None:
        self.weight, self.bias, self.turned = weight, bias, turned
        self.packed: Tensor | None = None
        self.tried = False

    def __call__(self, x: Tensor, gelu: bool = False) -> Tensor:
        """(N, in) -> (N, out)."""
        if 1 < len(x) <= ROWS and x.device.type == "cpu":
            if not self.tried:
                self._pack(x)
            if self.packed is not None:
                return self._quick(x, gelu)
        return self._plain(x, gelu)

    def _plain(self, x: Tensor, gelu: bool) -> Tensor:
        weight = self.weight.T if self.turned else self.weight
        found = x @ weight if self.bias is None else torch.addmm(self.bias, x, weight)
        return F.gelu(found, approximate="tanh") if gelu else found

    def _quick(self, x: Tensor, gelu: bool) -> Tensor:
        if gelu:
            return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "gelu", [], "tanh")
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")

    def _pack(self, x: Tensor) -> None:
        """Leaves everything as it is where the processor has no such way, or another result."""
        self.tried = True
        if self.weight.numel() > LARGEST or self.weight.dtype != torch.float32:
            return
        try:
            weight = self.weight.detach()
            self.packed = torch.ops.mkldnn._reorder_linear_weight((weight if self.turned else weight.T).contiguous(), 16)
            for gelu in (False, True):
                expected = self._plain(x, gelu)
                if not (self._quick(x, gelu) - expected).abs().max() <= TOLERANCE * max(1.0, expected.abs().max().item()):
                    raise ValueError("the result is another")
        except Exception as fault:      # of whatever kind: nothing is lost
            log.info("weights cannot be packed here, and serve as they are: %s", fault)
            self.packed = None
