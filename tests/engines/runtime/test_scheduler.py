"""Fairness between sessions and within them, limits and queues, and joined forward passes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from engines import runtime
from engines.runtime import scheduler as scheduler_module
from engines.runtime import wire
from engines.runtime.scheduler import Scheduler
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import until

Ask, Count = toys.Ask, toys.Count


class Heard(list):
    """What a scheduler says, and (frame, run) in the order it came."""

    def frames(self) -> list[int]:
        return [message.run for message in self if isinstance(message, wire.Frame)]

    def ends(self) -> dict[int, wire.End]:
        return {message.run: message for message in self if isinstance(message, wire.End)}


def order(run: int, job: runtime.Job, params: object, session: str = "") -> wire.Order:
    return wire.Order(run, session or str(run), job.target, params, job.models(params), job.mode, job.outbox,
                      1000, job.deadline_s, job.memory_mb)


def play(*orders: wire.Order, messages: tuple = (), limits: runtime.Limits | None = None) -> tuple[Scheduler, Heard]:
    """Run orders on this thread, all there from the start, until each has ended."""
    heard = Heard()
    left = {each.run for each in orders}
    scheduler = Scheduler(lambda message: (heard.append(message), done(message)), limits or runtime.Limits(), "cpu")

    def done(message: object) -> None:
        if isinstance(message, wire.End):
            left.discard(message.run)
            if not left:
                scheduler.submit(wire.Stop())
    for message in (*orders, *messages):
        scheduler.submit(message)
    scheduler.run()
    return scheduler, heard


# --- fairness ----------------------------------------------------------------------------------------------------

@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """What a step of each run is said to have taken, in place of the clock; 1 unless a test says otherwise. What is said
    to the engine is heard before the next step, as if each took long."""
    monkeypatch.setattr(scheduler_module, "_LISTEN_S", 0.0)
    said: dict[int, float] = {}
    charge = Scheduler._charge
    monkeypatch.setattr(Scheduler, "_charge", lambda self, activity, _:
                        charge(self, activity, said.get(activity.order.run, 1.0)))
    return said


def while_last(run: int, frames: list[int]) -> list[int]:
    """The frames of all runs up to the last one of this run."""
    return frames[:len(frames) - frames[::-1].index(run)]


def test_sessions_take_turns_whatever_the_number_of_their_runs(costs: dict[int, float]) -> None:
    greedy = [order(number, toys.count, Count(40), session="greedy") for number in (1, 2, 3)]
    _, heard = play(*greedy, order(4, toys.count, Count(40), session="modest"))
    others = [frame for frame in while_last(4, heard.frames()) if frame != 4]
    assert 39 <= len(others) <= 41                      # one of theirs for each of the modest one's 40
    assert all(13 <= others.count(number) <= 14 for number in (1, 2, 3))


def test_long_steps_cannot_starve_short_ones(costs: dict[int, float]) -> None:
    costs.update({1: 25.0, 2: 1.0})
    _, heard = play(order(1, toys.count, Count(20)), order(2, toys.count, Count(50)))
    assert while_last(2, heard.frames()).count(1) <= 3  # 50 short steps are worth two long ones


def test_a_newcomer_does_not_catch_up_on_what_it_missed(costs: dict[int, float]) -> None:
    heard = Heard()
    late = order(2, toys.count, Count(20))

    def hear(message: object) -> None:
        heard.append(message)
        if heard.frames() == [1] * 20 and isinstance(message, wire.Frame):
            scheduler.submit(late)
        if len(heard.ends()) == 2:
            scheduler.submit(wire.Stop())
    scheduler = Scheduler(hear, runtime.Limits(), "cpu")
    scheduler.submit(order(1, toys.count, Count(60)))
    scheduler.run()
    during = while_last(2, heard.frames())[20:]
    assert 17 <= during.count(1) <= 21                  # it shares from its first step on


def test_a_run_that_was_paused_does_not_catch_up_either(costs: dict[int, float]) -> None:
    heard = Heard()

    def hear(message: object) -> None:
        heard.append(message)
        if heard.frames() == [1] * 20 and isinstance(message, wire.Frame):
            scheduler.submit(wire.Pause(2, False))
        if len(heard.ends()) == 2:
            scheduler.submit(wire.Stop())
    scheduler = Scheduler(hear, runtime.Limits(), "cpu")
    for message in (order(1, toys.count, Count(60)), order(2, toys.count, Count(20)), wire.Pause(2, True)):
        scheduler.submit(message)
    scheduler.run()
    assert 17 <= while_last(2, heard.frames())[20:].count(1) <= 21


def test_sessions_that_have_gone_leave_nothing_behind() -> None:
    scheduler, heard = play(*(order(number, toys.count, Count(1), session=str(number)) for number in range(1, 200)))
    assert len(heard.ends()) == 199
    assert not scheduler._used and not scheduler._runs and not scheduler._activities


# --- limits ------------------------------------------------------------------------------------------------------

def test_over_the_limit_of_a_session_runs_wait_and_then_are_refused(limited) -> None:
    limited(running_per_session=2, queued_per_session=3)
    runs = [runtime.start(toys.count, Count(1000, seconds=0.01), session="a") for _ in range(5)]
    assert [run.status.state for run in runs[2:]] == ["queued"] * 3
    assert [run.status.ahead for run in runs] == [0, 0, 0, 1, 2]
    assert "2 runs are ahead" in runs[4].status.sentence
    with pytest.raises(runtime.Busy, match="3 of your runs are waiting already; the limit is 3"):
        runtime.start(toys.count, Count(1), session="a")
    assert runtime.start(toys.count, Count(3), session="b").result(timeout=5).n == 2
    runs[0].cancel()
    until(lambda: runs[2].status.state == "running", 2)
    runs[4].cancel()
    assert runs[4].status.state == "cancelled"
    assert [run.status.ahead for run in runs] == [0, 0, 0, 0, 0]


def test_over_the_limit_of_all_the_house_is_full(limited) -> None:
    limited(running_in_all=2, queued_in_all=2)
    runs = [runtime.start(toys.count, Count(1000, seconds=0.01), session=str(k)) for k in range(4)]
    with pytest.raises(runtime.Busy, match="full: 2 runs are waiting"):
        runtime.start(toys.count, Count(1), session="z")
    assert (runtime.state().running, runtime.state().queued) == (2, 2)
    del runs
    until(lambda: (runtime.state().running, runtime.state().queued) == (0, 0), 3)
    assert runtime.start(toys.count, Count(2), session="z").result(timeout=5).n == 1


def test_a_free_place_goes_to_the_session_that_runs_least(limited) -> None:
    limited(running_in_all=2, running_per_session=2)
    first = [runtime.start(toys.count, Count(1000, seconds=0.005), session="a") for _ in range(3)]
    other = runtime.start(toys.count, Count(3), session="b")
    first[0].cancel()
    assert other.result(timeout=5).n == 2 and not first[2].ended


# --- joined forward passes ---------------------------------------------------------------------------------------

def test_waiting_passes_are_joined_and_equal_to_single_ones(home: Path) -> None:
    from tests.engines.runtime import toy_engine
    asks = [Ask("toy-b", value=float(k), rows=1 + k % 3, rounds=4) for k in range(16)]
    toy_engine.CALLS.clear()
    scheduler, heard = play(*(order(k, toys.ask, params) for k, params in enumerate(asks, start=1)))
    assert all(end.outcome == "done" for end in heard.ends().values())
    for k, params in enumerate(asks, start=1):
        got = [message.frame.pixels for message in heard if isinstance(message, wire.Frame) and message.run == k]
        assert len(got) == 4
        for pixels in got:
            np.testing.assert_allclose(pixels, np.full((params.rows, 8), 2 * params.value + 0.5), atol=1e-5)
    assert len(toy_engine.CALLS) <= 6                   # 64 requests
    assert max(toy_engine.CALLS) == sum(params.rows for params in asks)


def test_tuples_are_cut_apart_and_what_cannot_be_cut_is_run_singly(home: Path) -> None:
    pairs = [order(k, toys.ask, Ask("toy-a", value=float(k), trap="twice")) for k in (1, 2, 3)]
    totals = [order(k, toys.ask, Ask("toy-a", value=float(k), trap="total")) for k in (4, 5)]
    _, heard = play(*pairs, *totals)
    frames = {message.run: message.frame.pixels for message in heard if isinstance(message, wire.Frame)}
    for k in (1, 2, 3):
        np.testing.assert_allclose(frames[k][:, 0, 0], [k, 2 * k], atol=1e-5)
    assert [frames[k].item() for k in (4, 5)] == [32, 40]


def test_only_the_culprit_of_a_failing_joined_pass_fails(home: Path) -> None:
    asks = [Ask("toy-a", value=-1.0 if k == 3 else 1.0) for k in range(1, 6)]
    _, heard = play(*(order(k, toys.ask, params) for k, params in enumerate(asks, start=1)))
    assert [heard.ends()[k].outcome for k in range(1, 6)] == ["done", "done", "failed", "done", "done"]
    assert heard.ends()[3].error == "JobFailed"


def test_training_passes_are_never_joined(home: Path) -> None:
    from tests.engines.runtime import toy_engine
    toy_engine.CALLS.clear()
    _, heard = play(*(order(k, toys.ask_training, Ask("toy-a")) for k in (1, 2)),
                    *(order(k, toys.ask, Ask("toy-a")) for k in (3, 4)))
    assert all(end.outcome == "done" for end in heard.ends().values())
    assert sorted(toy_engine.CALLS) == [1, 1, 2]


def test_a_joined_pass_has_a_greatest_number_of_rows(home: Path) -> None:
    from tests.engines.runtime import toy_engine
    toy_engine.CALLS.clear()
    play(*(order(k, toys.ask, Ask("toy-a", rows=3)) for k in range(1, 9)), limits=runtime.Limits(joined_rows=10))
    assert max(toy_engine.CALLS) == 9 and sum(toy_engine.CALLS) == 24


def test_a_single_visitor_is_not_kept_waiting(home: Path) -> None:
    begun = time.perf_counter()
    scheduler, heard = play(order(1, toys.ask, Ask("toy-a", rounds=200)))
    assert scheduler.passes.calls == 200 and scheduler.passes.joined == 0
    assert time.perf_counter() - begun < 5


def test_cancelling_a_run_that_waits_for_a_pass_leaves_the_others_whole(home: Path) -> None:
    orders = [order(k, toys.ask, Ask("toy-a", rounds=3)) for k in (1, 2, 3)]
    _, heard = play(*orders, messages=(wire.Cancel(2), wire.Pause(3, True), wire.Pause(3, False)))
    assert [heard.ends()[k].outcome for k in (1, 2, 3)] == ["done", "cancelled", "done"]
