"""Engines that die, freeze or never start, and hubs that go: one sentence to each reader, no orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from engines import runtime
from engines.runtime import EngineLost, trained
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import numbers, until

Count = toys.Count

HUB = """
import os, sys, time
from engines import runtime
from tests.engines.runtime import toy_jobs as toys
run = runtime.start(toys.count, toys.Count(1_000_000, seconds=0.01))
if "ready" in sys.argv:
    next(reader := iter(run))
print(runtime.api._runtime.client.fleet.engines[0].link.pid, os.environ["GALLERY_TRAINED"], flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_killing_the_engine_during_ten_runs(process: None) -> None:
    errors: dict[int, tuple[float, BaseException]] = {}
    started = threading.Barrier(11)

    def read(k: int) -> None:
        reader = iter(runtime.start(toys.count, Count(100_000, seconds=0.001), session=str(k)))
        next(reader)
        started.wait()
        try:
            for _ in reader:
                time.sleep(0.01)
        except runtime.VisitorError as error:
            errors[k] = time.monotonic(), error

    threads = [threading.Thread(target=read, args=(k,)) for k in range(10)]
    for each in threads:
        each.start()
    started.wait()
    waiting = [runtime.start(toys.count, Count(3, seconds=0.01), session="0") for _ in range(6)]
    assert waiting[-1].status.state == "queued"
    before = runtime.state()
    killed = time.monotonic()
    os.kill(before.pid, signal.SIGKILL)
    for each in threads:
        each.join(5)
    assert len(errors) == 10
    for moment, error in errors.values():
        assert type(error) is EngineLost and moment - killed < 3
        assert str(error).count(". ") == 0 and str(error).endswith(".")
    assert waiting[-1].result(timeout=20).n == 2        # it had only been waiting, and lost nothing
    assert time.monotonic() - killed < 20
    after = runtime.state()
    assert after.ready and after.pid != before.pid and after.restarts == 1
    assert sum(record.outcome == "EngineLost" for record in after.recent) >= 10
    assert numbers(5) == list(range(5))


def test_a_step_that_never_comes_back_and_a_frozen_engine_are_replaced(limited) -> None:
    limited(mode="process", overdue_s=0.3, frozen_s=2)
    first = runtime.state().pid
    with pytest.raises(EngineLost):
        runtime.start(toys.stuck, Count(1, seconds=60)).result(timeout=10)
    assert numbers(3) == [0, 1, 2]
    second = runtime.state().pid
    assert second != first
    os.kill(second, signal.SIGSTOP)
    with pytest.raises(EngineLost):
        runtime.start(toys.count, Count(3)).result(timeout=20)
    assert gone(second)


def test_an_engine_that_never_starts_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    runtime.configure(mode="process")
    try:
        with pytest.raises(EngineLost, match="does not start"):
            runtime.start(toys.count, Count(3)).result(timeout=20)
        until(lambda: "does not start" in runtime.state().fault)
        assert not runtime.state().ready
    finally:
        runtime.configure(mode="thread")


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "SIGKILL", "SIGKILL-ready"])
def test_no_engine_outlives_its_hub(way: str) -> None:
    name, _, ready = way.partition("-")
    hub = subprocess.Popen([sys.executable, "-c", HUB, ready], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True)
    try:
        pid, kept = hub.stdout.readline().split()
        hub.send_signal(getattr(signal, name))
        hub.wait(10)
        until(lambda: gone(int(pid)), 5)
        until(lambda: not Path(kept).exists() or name == "SIGTERM", 5)
    finally:
        hub.kill()
        hub.wait()


def test_ctrl_c_in_the_terminal_ends_hub_and_engine(tmp_path: Path) -> None:
    hub = subprocess.Popen([sys.executable, "-c", HUB], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           start_new_session=True)
    try:
        pid, kept = hub.stdout.readline().split()
        os.killpg(hub.pid, signal.SIGINT)               # the terminal sends it to both
        _, noise = hub.communicate(timeout=15)
        until(lambda: gone(int(pid)), 5)
        assert noise.count("KeyboardInterrupt") == 1    # the hub's own, none of the engine
        assert not Path(kept).exists()
    finally:
        hub.kill()
        hub.wait()


def test_stopping_ends_runs_and_leaves_no_folder(process: None) -> None:
    run = runtime.start(toys.count, Count(100_000, seconds=0.01))
    reader = iter(run)
    next(reader)
    pid, kept = runtime.state().pid, os.environ[trained.FOLDER]
    begun = time.monotonic()
    runtime.stop()
    assert time.monotonic() - begun < 4 and gone(pid)
    with pytest.raises(runtime.Cancelled):
        for _ in reader:
            pass
    assert not Path(kept).exists() and trained.FOLDER not in os.environ
