"""A pass of several rows: shared out between the cores, and the same however it is."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor

from engines.diffusion.model import Denoiser
from engines.runtime import device
from tests.engines.diffusion.conftest import make_unet


@pytest.fixture
def denoiser() -> Denoiser:
    return Denoiser(make_unet()).eval()


def asked(rows: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    return torch.randn(rows, 1, 8, 8, generator=generator), 50.0 * torch.arange(rows), torch.arange(rows) % 4


def watched(denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(rows, thread) of every call of the network."""
    calls, plain = [], denoiser._plain

    def watch(x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        calls.append((len(x_t), threading.get_ident()))
        return plain(x_t, t, labels)
    monkeypatch.setattr(denoiser, "_plain", watch)
    return calls


@pytest.mark.parametrize(("rows", "hands", "parts"), [(1, 2, [1]), (3, 2, [3]), (4, 2, [2, 2]), (7, 2, [3, 4]), (7, 3, [2, 2, 3]), (5, 1, [5])])
def test_rows_are_shared_out_and_come_back_in_their_order(denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch, rows: int, hands: int,
                                                          parts: list[int]) -> None:
    monkeypatch.setattr(device, "hands", lambda: hands)
    with torch.inference_mode():
        expected = denoiser._plain(*asked(rows))
        calls = watched(denoiser, monkeypatch)
        found = denoiser(*asked(rows))
    assert torch.allclose(found, expected, atol=1e-5) and found.is_inference()
    assert sorted(count for count, _ in calls) == parts and threading.get_ident() in {thread for _, thread in calls}


def test_a_pass_that_learns_stays_in_one_piece(denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "hands", lambda: 2)
    calls = watched(denoiser, monkeypatch)
    denoiser(*asked(6)).square().mean().backward()
    assert calls == [(6, threading.get_ident())] and denoiser.unet.conv_in.weight.grad.abs().sum() > 0


def test_memory_that_runs_out_in_one_part_is_told(denoiser: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "hands", lambda: 2)
    plain = denoiser._plain

    def full(x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        if t[-1] > 200:
            raise torch.OutOfMemoryError("injected")
        return plain(x_t, t, labels)
    monkeypatch.setattr(denoiser, "_plain", full)
    with torch.inference_mode():
        with pytest.raises(torch.OutOfMemoryError):
            denoiser(*asked(6))
        assert denoiser(*asked(4)).shape == (4, 1, 8, 8)
