"""Running out of memory, a hundred times and at every step: the next request succeeds and nothing is left behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import runtime
from engines.runtime import OutOfMemory, api, wire
from engines.runtime.scheduler import Scheduler
from tests.engines.runtime import toy_engine
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import until
from tests.engines.runtime.test_scheduler import order, play

Ask, Count = toys.Ask, toys.Count


@pytest.fixture
def scheduler(thread: None) -> Iterator[Scheduler]:
    """The scheduler of a fresh engine; collections are kept cheap by what is already there being left out."""
    gc.collect()
    gc.freeze()
    yield api._runtime.client.fleet.engines[0].link._scheduler
    gc.unfreeze()


def nothing_left(scheduler: Scheduler) -> None:
    until(lambda: not scheduler._activities)
    assert scheduler.residents.leases() == 0 and scheduler.residents.reserved == 0
    assert not scheduler._line and not scheduler._used
    assert toy_engine.alive() == 0


def test_a_hundred_times_at_every_step(scheduler: Scheduler) -> None:
    for round_ in range(100):
        trap, at = ("oom", "cpu-oom")[round_ % 2], round_ % 10
        run = runtime.start(toys.count, Count(10, trap=trap, at=at))
        seen = []
        with pytest.raises(OutOfMemory, match="promised 64 MB.*MB here: ask for less"):
            for frame in run:
                seen.append(frame.n)
        assert seen == list(range(at))
        del run
        nothing_left(scheduler)
        assert runtime.start(toys.count, Count(2)).result(timeout=5).n == 1


def test_what_no_one_has_seen_is_started_over_once(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def spring(trap: str) -> None:
        tries.append(trap)
        if len(tries) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(toy_engine, "spring", spring)
    assert [frame.n for frame in runtime.start(toys.count, Count(3, trap="oom", at=0))] == [0, 1, 2]
    assert len(tries) == 2
    nothing_left(scheduler)


def test_a_joined_pass_is_halved_until_it_fits(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy_engine.Toy, "most", 3)
    asks = [Ask("toy-b", value=float(k), rows=2, rounds=2) for k in range(8)]
    toy_engine.CALLS.clear()
    _, heard = play(*(order(k, toys.ask, params) for k, params in enumerate(asks, start=1)))
    for message in heard:
        if isinstance(message, wire.Frame):
            np.testing.assert_allclose(message.frame.pixels, np.full((2, 8), 2 * asks[message.run - 1].value + 0.5))
    assert len(heard.frames()) == 16
    assert toy_engine.CALLS[:4] == [16, 16, 8, 4]       # room is made once, then the pass is halved
    assert sum(rows > 3 for rows in toy_engine.CALLS[5:]) <= 8      # what fitted is remembered, and tried one larger


def test_a_pass_that_fits_in_no_half_gives_a_sentence(scheduler: Scheduler, home: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    for rounds in range(20):
        with monkeypatch.context() as patch:
            patch.setattr(toy_engine.Toy, "most", 0)
            with pytest.raises(OutOfMemory, match="single row"):
                runtime.start(toys.ask, Ask("toy-a", rows=4)).result(timeout=5)
            with pytest.raises(OutOfMemory, match="put away"):
                runtime.start(toys.ask, Ask("toy-a", rows=4, trap="twice" if rounds % 2 else "")).result(timeout=5)
            with pytest.raises(OutOfMemory):
                runtime.start(toys.ask_training, Ask("toy-a", rows=4)).result(timeout=5)
        nothing_left(scheduler)
        assert runtime.start(toys.ask, Ask("toy-a", rows=4)).result(timeout=5).pixels.shape == (4, 8)


def test_loading_that_runs_out_of_memory_puts_idle_models_away(scheduler: Scheduler, home: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.start(toys.ask, Ask("toy-a")).result(timeout=5) is not None
    fails = [True, False]
    move = torch.nn.Module.to

    def to(self, *args):
        if fails.pop(0) if fails else False:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return move(self, *args)
    monkeypatch.setattr(torch.nn.Module, "to", to)
    assert runtime.start(toys.ask, Ask("toy-b")).result(timeout=5).pixels[0, 0] == 2.5
    until(lambda: dict(runtime.state().models) == {"toy-b": 256})
    nothing_left(scheduler)


def test_a_defect_in_a_joined_pass_keeps_no_tensor_alive(scheduler: Scheduler, home: Path) -> None:
    for _ in range(5):
        with pytest.raises(runtime.JobFailed):
            runtime.start(toys.ask, Ask("toy-a", value=-1.0)).result(timeout=5)
        nothing_left(scheduler)


def test_what_is_finished_is_let_go(scheduler: Scheduler, home: Path) -> None:
    for trap in ("", "twice"):
        runs = [runtime.start(toys.ask, Ask("toy-a", rounds=3, trap=trap), session=str(k)) for k in range(8)]
        assert all(run.result(timeout=10) is not None for run in runs)
    nothing_left(scheduler)
