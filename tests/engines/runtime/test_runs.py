"""A run from start to end: reading it in every way, stopping it in every way, and what it says of itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time

import pytest

from engines import runtime
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import until

Count = toys.Count


def test_a_defect_is_logged_whole_and_shown_without_a_trace(thread: None, caplog: pytest.LogCaptureFixture) -> None:
    run = runtime.start(toys.count, Count(3, trap="defect", at=2))
    with caplog.at_level(logging.ERROR), pytest.raises(runtime.JobFailed) as caught:
        run.result(timeout=5)
    assert "/srv/gallery" in caplog.text and "ZeroDivisionError" in caplog.text
    assert "/srv" not in str(caught.value) and "Zero" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_frames_before_a_failure_are_read_first(thread: None) -> None:
    seen = []
    with pytest.raises(runtime.JobFailed):
        for frame in runtime.start(toys.count, Count(5, trap="defect", at=3)):
            seen.append(frame.n)
    assert seen == [0, 1, 2]


def test_grad_mode_holds_in_every_step_whatever_the_job_leaves_behind(thread: None) -> None:
    assert {frame.n for frame in runtime.start(toys.modes, Count(4))} == {2}
    assert {frame.n for frame in runtime.start(toys.modes_training, Count(4))} == {1}
    both = [runtime.start(job, Count(6), session=job.mode) for job in (toys.modes, toys.modes_training)]
    assert [{frame.n for frame in run} for run in both] == [{2}, {1}]


def test_cancel_comes_between_two_steps_and_closes_the_job(thread: None) -> None:
    from tests.engines.runtime import toy_engine
    run = runtime.start(toys.count, Count(10_000, seconds=0.01, start=77))
    reader = iter(run)
    next(reader)
    run.cancel()
    with pytest.raises(runtime.Cancelled):
        for _ in reader:
            pass
    assert run.status.state == "cancelled"
    assert toy_engine.CLOSED[-1] == 77
    run.cancel()


def test_pause_resume_and_update(thread: None) -> None:
    run = runtime.start(toys.follow, Count(10_000, seconds=0.002, start=1))
    reader = iter(run)
    assert next(reader).n == 1
    run.pause()
    assert run.status.state == "paused"
    time.sleep(0.1)
    before = run.status.frames
    time.sleep(0.1)
    assert run.status.frames == before
    run.update(Count(10_000, seconds=0.002, start=5))
    run.update(Count(10_000, seconds=0.002, start=6))
    run.resume()
    seen = {next(reader).n for _ in range(40)}
    assert seen <= {1, 6} and 6 in seen
    with pytest.raises(TypeError):
        run.update("nonsense")


def test_what_is_said_to_a_waiting_run_reaches_it_when_its_turn_comes(limited) -> None:
    limited(running_per_session=1)
    first = runtime.start(toys.count, Count(1000, seconds=0.005), session="a")
    second = runtime.start(toys.follow, Count(3, start=1), session="a")
    second.update(Count(3, start=9))
    second.pause()
    first.cancel()
    time.sleep(0.1)
    assert second.status == runtime.RunStatus("paused", 0, 0, "Paused.")
    second.resume()
    assert [frame.n for frame in second] == [1, 9, 9]


def test_time_spent_paused_or_unread_is_not_held_against_the_deadline(thread: None) -> None:
    paused = runtime.start(toys.short, Count(4, seconds=0.04), session="a")
    paused.pause()
    slow = []
    for frame in runtime.start(toys.short, Count(12, seconds=0.002), session="b"):
        slow.append(frame.n)
        time.sleep(0.12)
    assert slow == list(range(12))
    paused.resume()
    assert [frame.n for frame in paused] == [0, 1, 2, 3]


def test_a_waiting_outbox_loses_nothing_and_runs_no_further_than_its_size(thread: None) -> None:
    run = runtime.start(toys.count, Count(30))
    until(lambda: run.status.frames == toys.count.outbox_size)
    time.sleep(0.1)
    assert run.status.frames == toys.count.outbox_size
    assert [frame.n for frame in run] == list(range(30))


@pytest.mark.parametrize("way", ["break", "drop", "close", "forget", "async-break", "async-cancel"])
def test_a_reader_that_leaves_ends_its_run_within_two_seconds(thread: None, way: str) -> None:
    run = runtime.start(toys.count, Count(100_000, seconds=0.005))

    async def read(leave: bool) -> None:
        async for _ in run:
            if leave:
                return

    async def cancelled() -> None:
        task = asyncio.ensure_future(read(leave=False))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    if way == "break":
        for _ in run:
            break
    elif way == "drop":
        reader = iter(run)
        next(reader)
        del reader
    elif way == "close":
        reader = iter(run)
        next(reader)
        reader.close()
    elif way == "forget":
        del run, read, cancelled
    else:
        asyncio.run(read(leave=True) if way == "async-break" else cancelled())
    gc.collect()
    assert until(lambda: runtime.state().running == 0) < 2
    assert runtime.state().recent[0].outcome == "cancelled"


def test_a_silent_reader_is_parked_then_ended_and_a_returning_one_goes_on(limited) -> None:
    limited(parked_s=0.3, silent_s=1.5)
    stays = runtime.start(toys.newest, Count(60, seconds=0.01), session="a")
    reader = iter(stays)
    first = next(reader).n
    until(lambda: runtime.state().running == 0)
    assert not stays.ended
    rest = [frame.n for frame in reader]
    assert first == 0 and rest[-1] == 59 and stays.status.state == "done"
    leaves = runtime.start(toys.newest, Count(100_000, seconds=0.01), session="a")
    until(lambda: leaves.ended, 4)
    assert leaves.status.state == "cancelled"


def test_a_paced_reader_is_no_silent_one(limited) -> None:
    limited(parked_s=0.5, silent_s=0.5)
    run, seen = runtime.start(toys.count, Count(15)), []
    for frame in run:
        seen.append(frame.n)
        time.sleep(0.1)
    assert seen == list(range(15))


@pytest.mark.parametrize("way", ["result", "aresult"])
def test_a_reader_that_waits_for_the_last_frame_is_no_silent_one(limited, way: str) -> None:
    limited(parked_s=0.2, silent_s=0.6)
    run = runtime.start(toys.dawdle, Count(120, seconds=0.01))

    async def wait() -> toys.Number:
        return await run.aresult()
    assert (run.result() if way == "result" else asyncio.run(wait())).n == 1


def test_leaving_ends_all_runs_of_a_session_and_no_other(thread: None) -> None:
    mine = [runtime.start(toys.count, Count(10_000, seconds=0.01), session="me") for _ in range(6)]
    other = runtime.start(toys.count, Count(30, seconds=0.01), session="you")
    runtime.leave("me")
    until(lambda: all(run.status.state == "cancelled" for run in mine), 2)
    assert other.result(timeout=10).n == 29


def test_result_gives_up_in_time_and_ends_the_run(thread: None) -> None:
    begun = time.monotonic()
    with pytest.raises(runtime.TimedOut):
        runtime.start(toys.count, Count(1000, seconds=0.01)).result(timeout=0.2)
    assert time.monotonic() - begun < 1
    until(lambda: runtime.state().running == 0, 2)


def test_an_awaiting_reader_that_nobody_else_holds_is_kept_alive(thread: None) -> None:
    async def read() -> int:
        done = asyncio.get_running_loop().create_future()

        async def consume() -> None:
            frame = await runtime.start(toys.count, Count(2, seconds=0.2)).aresult()
            done.set_result(frame.n)
        asyncio.ensure_future(consume())
        await asyncio.sleep(0.05)
        gc.collect()
        return await asyncio.wait_for(done, 5)
    assert asyncio.run(read()) == 1


def test_sessions_that_came_and_went_leave_nothing_behind(thread: None) -> None:
    from engines.runtime import api
    client = api._runtime.client
    for number in range(300):
        run = runtime.start(toys.count, Count(2), session=str(number))
        if number % 3:
            assert run.result(timeout=10).n == 1
        else:
            next(iter(run))
    del run
    until(lambda: runtime.state().running == 0)
    assert not client._facts and not client._runs and not client._awaited
    assert not client._admission._tickets and not client._admission._active
    assert len(runtime.state().recent) == runtime.Limits().recent


def test_records_tell_what_ran_without_naming_who(thread: None) -> None:
    runtime.start(toys.count, Count(3), session="a-secret-session").result()
    with pytest.raises(runtime.BadInput):
        runtime.start(toys.count, Count(3, trap="bad", at=0), session="a-secret-session").result()
    until(lambda: len(runtime.state().recent) >= 2)
    failed, done = runtime.state().recent[:2]
    assert done.job.endswith(":counting") and (done.frames, done.outcome) == (3, "done")
    assert failed.outcome == "BadInput" and done.session == failed.session and "secret" not in done.session


def test_many_threads_read_at_once(thread: None) -> None:
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda k=k: results.append(
        [frame.n for frame in runtime.start(toys.count, Count(50), session=str(k))])) for k in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert results == [list(range(50))] * 16
