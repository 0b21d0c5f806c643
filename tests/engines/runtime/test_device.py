"""Which device, how much memory, how many threads; several devices, one engine each."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch

from engines import runtime
from engines.runtime import BadInput, device, wire
from engines.runtime.client import Client
from engines.runtime.fleet import Engine
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import until


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """machine(cuda=2, xpu=0, mps=0): what torch can use here, for the length of a test."""
    def pretend(**found: int) -> None:
        monkeypatch.setattr(device, "_count", lambda _, kind: found.get(kind, 0))
    monkeypatch.delenv(device.DEVICE, raising=False)
    return pretend


def test_the_first_of_cuda_xpu_mps_cpu_is_chosen(machine) -> None:
    for found, chosen in (({"cuda": 2, "xpu": 1}, "cuda:0"), ({"xpu": 1, "mps": 1}, "xpu:0"), ({"mps": 1}, "mps"),
                          ({}, "cpu")):
        machine(**found)
        assert device.choose() == torch.device(chosen)


def test_the_host_may_choose_otherwise(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(cuda=2, mps=1)
    for wish, chosen in (("cpu", "cpu"), ("cuda", "cuda:0"), (" CUDA:1 ", "cuda:1"), ("mps", "mps")):
        monkeypatch.setenv(device.DEVICE, wish)
        assert device.choose() == torch.device(chosen)
    assert device.choose("cpu") == torch.device("cpu")


@pytest.mark.parametrize("wish, sentence", [
    ("gpu", "it may be cpu, cuda"), ("cuda:x", "it may be"), ("cpu:1", "it may be"), ("cuda:2", "has 2 devices"),
    ("xpu", "has 0 devices")])
def test_a_device_that_is_none_gives_a_sentence(machine, wish: str, sentence: str) -> None:
    machine(cuda=2)
    with pytest.raises(BadInput, match=sentence):
        device.choose(wish)


@pytest.mark.parametrize("variable, value", [(device.DEVICE, "toaster"), (device.MEMORY, "lots"), (device.MEMORY, "3"),
                                             (device.THREADS, "0")])
def test_a_bad_setting_reaches_the_visitor_as_a_sentence(variable: str, value: str, monkeypatch) -> None:
    monkeypatch.setenv(variable, value)
    runtime.configure(mode="thread")
    try:
        with pytest.raises(BadInput, match=f"{variable} is '{value}'"):
            runtime.start(toys.count, toys.Count(1)).result(timeout=30)
        assert variable in runtime.state().fault and not runtime.state().ready
    finally:
        monkeypatch.undo()
        runtime.configure(mode="thread")


def test_memory_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    assert 2**26 < device.budget(cpu) < device.free(cpu)
    monkeypatch.setenv(device.MEMORY, "512")
    monkeypatch.setenv(device.THREADS, "3")
    assert device.budget(cpu) == 512 * 2**20 and device.threads() == 3


def test_parts_are_done_abreast_each_with_a_core_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before, meet = torch.get_num_threads(), threading.Barrier(3, timeout=20)

    def work(part: int) -> tuple[int, int, int]:
        meet.wait()                         # that all are there at once
        return part, torch.get_num_threads(), threading.get_ident()
    try:
        torch.set_num_threads(3)
        parts, threads, where = zip(*device.abreast(work, [5, 6, 7]), strict=True)
        assert parts == (5, 6, 7) and threads == (1, 1, 1)
        assert len(set(where)) == 3 and where[0] == threading.get_ident()
        assert torch.get_num_threads() == 3
        assert device.abreast(lambda part: torch.get_num_threads(), [1]) == [3]       # alone it has them all
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_part_that_fails_lets_the_others_end_first(bad: int) -> None:
    ended = []

    def work(part: int) -> int:
        if part == bad:
            raise torch.OutOfMemoryError("injected")
        time.sleep(0.05)
        ended.append(part)
        return part
    threads = torch.get_num_threads()
    with pytest.raises(torch.OutOfMemoryError, match="injected"):
        device.abreast(work, [0, 1, 2])
    assert sorted(ended) == sorted({0, 1, 2} - {bad}) and torch.get_num_threads() == threads


def test_as_many_hands_as_cores_unless_the_host_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cores", lambda: 6)
    monkeypatch.delenv(device.THREADS, raising=False)
    assert device.hands() == 6
    monkeypatch.setenv(device.THREADS, "2")
    assert device.hands() == 2


@pytest.mark.parametrize(("files", "expected"), [
    ({}, 16),
    ({"cpu.max": "max 100000"}, 16),
    ({"cpu.max": "200000 100000"}, 2),
    ({"cpu.max": "150000 100000\n"}, 2),
    ({"cpu.max": "50000 100000"}, 1),
    ({"cpu.max": "6400000 100000"}, 16),
    ({"cpu.max": "nonsense"}, 16),
    ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
    ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16)])
def test_a_container_has_the_cores_that_it_may_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str],
                                                   expected: int) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(device, "_GROUPS", tmp_path)
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.delenv(device.THREADS, raising=False)
    assert device.cores() == device.hands() == expected
    assert device.threads() == max(1, expected - 1)


def test_every_way_to_run_out_of_memory_is_known() -> None:
    assert device.out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert device.out_of_memory(MemoryError())
    assert device.out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"))
    assert device.out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not device.out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not device.out_of_memory(ValueError("out of memory"))


class Silent:
    """A link that only remembers what it was sent."""

    def __init__(self, *_: object) -> None:
        self.sent: list[object] = []
        self.pid = 0

    def send(self, message: object) -> None:
        self.sent.append(message)

    def stop(self) -> None:
        self.sent.append("stop")


def test_each_cuda_device_gets_an_engine_and_runs_go_where_memory_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.runtime import fleet
    monkeypatch.setattr(fleet, "ProcessLink", Silent)
    client = Client("process", runtime.Limits(running_in_all=100, running_per_session=100))
    try:
        engines: list[Engine] = client.fleet.engines
        client.fleet.hear(engines[0], wire.Hello(1, "cuda:0", "Card", 3, "2", 1, 100))
        assert [engine.device for engine in engines] == ["cuda:0", "cuda:1", "cuda:2"]
        for engine, budget in zip(engines[1:], (300, 200), strict=True):
            client.fleet.hear(engine, wire.Hello(1, engine.device, "Card", 3, "2", 1, budget))
        assert runtime.EngineState and client.state().device_name == "3 × Card" and client.state().budget_bytes == 600
        order = wire.Order(1, "a", "x:y", None, (runtime.ModelRef("m", "x:y"),), "inference", "wait", 8, 60, 64)
        assert client.fleet.choose(order, dict).index == 1
        client.fleet.hear(engines[2], wire.Residents((("m", 100),)))
        assert client.fleet.choose(order, dict).index == 2                # it has the model
        assert client.fleet.choose(order, lambda: {2: 16}).index == 1           # but enough to do
        engines[1].hello = None
        assert client.fleet.choose(order, lambda: {2: 16}).index == 0
    finally:
        client.stop()


def test_two_engines_work_side_by_side() -> None:
    runtime.configure(mode="process", device="cpu,cpu")
    try:
        runtime.warm(timeout=60)
        until(lambda: runtime.state().device == "cpu, cpu", 60)
        runs = [runtime.start(toys.count, toys.Count(5, seconds=0.001), session=str(k)) for k in range(20)]
        assert [run.result(timeout=20).n for run in runs] == [4] * 20
    finally:
        runtime.configure(mode="thread")
