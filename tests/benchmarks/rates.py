"""Rates taken in turn, and an engine process beside which they can be compared."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator

import torch

from engines import runtime

REPEATS = 9
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
HUB, ENGINE = (set(CORES[:1]), set(CORES[1:2])) if len(CORES) > 1 else (set(), set())


def engine_process() -> Iterator[None]:
    """An engine process with one thread, as what runs beside it has one; each on a core of its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    os.environ["GALLERY_THREADS"] = "1"
    start_engine()
    mine = keep_on(os.getpid(), HUB)
    yield
    keep_on(os.getpid(), mine)
    del os.environ["GALLERY_THREADS"]
    runtime.configure(mode="thread")
    torch.set_num_threads(before)


def every_core() -> Iterator[None]:
    """An engine with as many threads as it takes by itself, and nobody kept from any core."""
    threads = os.environ.pop("GALLERY_THREADS")
    mine = keep_on(os.getpid(), set(CORES))
    runtime.configure(mode="process", device="cpu")
    assert runtime.warm(timeout=120)
    yield
    os.environ["GALLERY_THREADS"] = threads
    keep_on(os.getpid(), mine)


def start_engine() -> None:
    """A new engine process, as the environment says, on the core that is kept for it."""
    runtime.configure(mode="process", device="cpu")
    assert runtime.warm(timeout=120)
    keep_on(runtime.state().pid, ENGINE)


def keep_on(pid: int, cores: set[int]) -> set[int]:
    """Keep a process on some cores, where the system can; returns where it was."""
    if not hasattr(os, "sched_setaffinity") or not cores:
        return set()
    before = os.sched_getaffinity(pid)
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores)
    return before


def rate(count: int, work: Callable[[], object]) -> float:
    """How many of `count` things a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def ratio(first: Callable[[], float], second: Callable[[], float], repeats: int = REPEATS) -> tuple[float, float, float]:
    """(median of first, median of second, median of their ratios), taken in turn."""
    pairs = [(first(), second()) for _ in range(repeats)]
    return (statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs),
            statistics.median(a / b for a, b in pairs))
