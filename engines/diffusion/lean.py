"""The network with the little that can be had without a compiler: rearranged, traced once, its weights packed as the
processor likes them, its small operations fused. For one and two rows, where what is said between the sums counts;
20 to 25 % less time there on the machine it was tried on, the same to 2e-6. It takes a second, when a model is loaded.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from engines.diffusion.merged import Merged

log = logging.getLogger(__name__)

ROWS = (1, 2)               # one visitor alone, without guidance and with
TOLERANCE = 2e-3            # a thousandth of full scale, as for every fast path


class Lean:
    """Traced networks by number of rows, for the CPU. Empty where tracing fails: nothing is lost then."""

    def __init__(self, denoiser: nn.Module) -> None:
        self._traced: dict[int, Callable[..., Tensor]] = {}
        for rows in ROWS:
            example = (torch.zeros(rows, *denoiser.shape), torch.full((rows,), 500.0), torch.zeros(rows, dtype=torch.long))
            try:
                traced = traced_for(denoiser, example)
            except Exception:
                log.exception("the network cannot be traced for %d rows: it serves as it is", rows)
                return
            self._traced[rows] = traced

    def get(self, x_t: Tensor) -> Callable[..., Tensor] | None:
        return self._traced.get(len(x_t)) if x_t.device.type == "cpu" else None


def traced_for(denoiser: nn.Module, example: tuple[Tensor, Tensor, Tensor]) -> Callable[..., Tensor]:
    """Raises whatever tracing raises, or ValueError when what comes out differs."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")         # that shapes become constants is what is wanted
        traced = torch.jit.trace(Merged(denoiser.unet, norms=False).eval(), example, check_trace=False)
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        for _ in range(3):                      # it settles within its first calls
            found = traced(*example)
        worst = (denoiser._plain(*example) - found).abs().max().item()
    if not worst <= TOLERANCE:
        raise ValueError(f"the traced network is off by {worst:g}")
    return traced
