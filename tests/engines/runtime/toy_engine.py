"""What the toy jobs do, on the engine's thread."""

from __future__ import annotations

import gc
import time
import weakref
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from engines.runtime import BadInput, forward
from tests.engines.runtime.toy_jobs import Ask, Count, Number, Paint, Picture

CALLS: list[int] = []                   # rows of each pass of the toy model
BORN: weakref.WeakSet = weakref.WeakSet()      # every tensor that a trapped job made
CLOSED: list[int] = []                  # runs that ended by their own finally


def born(*shape: int) -> torch.Tensor:
    tensor = torch.ones(*shape)
    BORN.add(tensor)
    return tensor


def alive() -> int:
    gc.collect()
    return len(BORN)


def spring(trap: str) -> None:
    if trap == "oom":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    if trap == "cpu-oom":
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 80000000000 bytes")
    if trap == "bad":
        raise BadInput("n is 7; it may be 1 to 6: choose a smaller number.")
    if trap == "exit":
        raise SystemExit(3)
    if trap:
        raise ZeroDivisionError("a secret path /srv/gallery")


def counting(params: Count):
    try:
        for n in range(params.n):
            kept = born(64, 64)         # what a failing step leaves on the stack
            if n == params.at:
                spring(params.trap)
            if params.seconds:
                time.sleep(params.seconds)
            yield Number(params.start + n * int(kept[0, 0]))
    finally:
        CLOSED.append(params.start)


def sticking(params: Count):
    yield Number(0)
    time.sleep(params.seconds)
    yield Number(1)


def dawdling(params: Count):
    """A frame, a long time of nothing to show, and another frame."""
    yield Number(0)
    for _ in range(params.n):
        time.sleep(params.seconds)
        yield None
    yield Number(1)


def following(params: Count):
    """Count on from the newest params it was handed."""
    n, step = 0, params.start
    while n < params.n:
        n += 1
        newer = yield Number(step)
        if newer is not None:
            step = newer.start
        time.sleep(params.seconds)


def painting(params: Count):
    for n in range(params.n):
        yield Picture(torch.full((16, 16), n % 256, dtype=torch.uint8).numpy())


def inverting(params: Paint):
    for _ in range(2):
        yield Picture((255 - torch.from_numpy(params.pixels)).numpy())


def leaking(params: Count):
    yield Number(torch.ones(1))


def hoarding(params: Count):
    """Fill the device 1 GB a step."""
    hoard = []
    for n in range(params.n):
        hoard.append(torch.empty(2**30, dtype=torch.uint8, device="cuda"))
        yield Number(n)


def smuggling(params: Count):
    """Frames that cannot be sent from the second on, deep inside."""
    for n in range(params.n):
        yield Number(n, note=("", {"deep": torch.ones(1)}) if n else "")


def grad_modes(params: Count):
    for _ in range(params.n):
        found = int(torch.is_grad_enabled()) + 2 * int(torch.is_inference_mode_enabled())
        torch.set_grad_enabled(not torch.is_grad_enabled())      # a careless job
        yield Number(found)


def grinding(params: Count):
    """Steps of real work, the same whatever the clock says: params.at matrix products each."""
    a = torch.full((128, 128), 1 / 128)
    for _ in range(params.n):
        for _ in range(params.at):
            a = a @ a
        yield Picture((a[:28, :28] * 255).to(torch.uint8).numpy())


class Toy(nn.Module):
    most = 10**9                # rows that fit into the memory of this toy
    hog = 0                     # bytes that a pass takes for each row, for real

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: torch.Tensor, bias: float = 0.0) -> torch.Tensor:
        """(B, 8) -> (B, 8)."""
        CALLS.append(len(x))
        if len(x) > self.most:
            waste = born(64, 64)
            raise torch.OutOfMemoryError(f"CUDA out of memory beside {tuple(waste.shape)}")
        if self.hog:
            torch.empty(len(x) * self.hog, dtype=torch.uint8, device=x.device)
        if (x < 0).any():
            raise ArithmeticError("negative")
        return x @ self.weight + bias

    def twice(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self(x), self(2 * x)

    def total(self, x: torch.Tensor) -> torch.Tensor:
        """A result that cannot be cut apart."""
        CALLS.append(len(x))
        return x.sum()


def load(folder: Path) -> Toy:
    return Toy(load_file(folder / "model.safetensors")["weight"].float())


def asking(toy: Toy, params: Ask):
    for _ in range(params.rounds):
        x = born(params.rows, 8) * params.value
        if params.trap == "twice":
            first, second = yield forward(toy.twice, x)
            yield Picture(torch.stack([first, second]).detach().cpu().numpy())
        elif params.trap == "total":
            total = yield forward(toy.total, x)
            yield Picture(total.reshape(1).cpu().numpy())
        else:
            y = yield forward(toy, x, bias=0.5)
            yield Picture(y.detach().cpu().numpy())


def holding(toy: Toy, params: Ask):
    for n in range(params.rounds):
        yield Number(n, note=str(toy.weight.dtype))
        time.sleep(0.01)
