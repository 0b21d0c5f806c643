"""One run as its reader sees it: iterate it from a thread or a coroutine, cancel it, ask how it stands."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import Any

from engines.runtime import errors, wire
from engines.runtime.contract import Job
from engines.runtime.status import ENDED, RunStatus


class Run:
    """Frames of one job, as they come. Made by `runtime.start`.

    A run belongs to one reader. Leaving the loop, closing the reader or dropping the run ends it.
    Iterating raises a VisitorError when the run fails, Cancelled when it is cancelled.
    """

    def __init__(self, number: int, job: Job, session: str, client: Any) -> None:
        self.number = number
        self.job = job
        self.session = session
        self.begun = time.monotonic()
        self.last_read = self.begun         # when a frame was last taken, or the reader last waited for one
        self._client = client
        self._changed = threading.Condition()
        self._inbox: deque[Any] = deque()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future]] = []
        self._state = "queued"
        self.paused_at: float | None = None
        self.newest: Any = None             # params given to update(), for a run that still waits for its turn
        self._error: errors.VisitorError | None = None
        self._frames = 0
        self._listening = 0                 # readers that wait right now
        self._patient = False               # whether only the last frame is wanted: others need wake nobody
        self._unacknowledged = 0
        self._lump = max(1, job.outbox_size // 2) if job.outbox == "wait" else 1

    # --- what a visitor does -------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """End the run before its next step. Frames that have arrived can still be read."""
        if not self.ended:
            self._client.cancel(self.number)

    def pause(self) -> None:
        """Stop before the next step, keeping everything as it is."""
        self._pause(True)

    def resume(self) -> None:
        self._pause(False)

    def _pause(self, on: bool) -> None:
        self.paused_at = (self.paused_at or time.monotonic()) if on else None
        if not self.ended:
            self._client.send(self.number, wire.Pause(self.number, on))

    def update(self, params: Any) -> None:
        """Hand new parameters to the running job; it takes the newest at its next frame."""
        if not isinstance(params, self.job.params):
            raise TypeError(f"{self.job.target} takes {self.job.params.__name__}, not {type(params).__name__}")
        self.newest = params
        if not self.ended:
            self._client.send(self.number, wire.Update(self.number, params))

    @property
    def ended(self) -> bool:
        return self._state in ENDED

    @property
    def status(self) -> RunStatus:
        state, frames = self._state, self._frames
        ahead, awake = self._client.ahead(self.number) if state == "queued" else (0, True)
        if self.paused_at is not None and state in ("loading", "running"):
            state = "paused"
        return RunStatus(state, ahead, frames, str(self._error) if self._error else _sentence(state, ahead, awake))

    def result(self, timeout: float | None = None) -> Any:
        """The last frame (None if there was none). Raises VisitorError; TimedOut after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        frame = None
        self._patient = True
        with Reader(self) as reader:
            while True:
                try:
                    frame = reader.take(until)
                except StopIteration:
                    return frame

    async def aresult(self) -> Any:
        """The last frame, awaited. Raises VisitorError."""
        frame = None
        self._patient = True
        with Reader(self) as reader:
            async for frame in reader:
                pass
        return frame

    def __iter__(self) -> Reader:
        return Reader(self)

    def __aiter__(self) -> Reader:
        return Reader(self)

    def __del__(self) -> None:
        if self._state not in ENDED:
            self._client.dropped(self.number)

    # --- what the client does ------------------------------------------------------------------------------------

    def unread(self, now: float) -> float:
        """Seconds that a frame has waited for a reader who does not come; 0 when none waits, or the reader does."""
        with self._changed:
            return now - self.last_read if self._inbox and not self._listening else 0.0

    def deliver(self, frame: Any) -> None:
        with self._changed:
            if not self._inbox:
                self.last_read = time.monotonic()
            self._state = "running"
            self._frames += 1
            self._inbox.append(frame)
            if not self._patient or len(self._inbox) >= self._lump:
                self._wake()

    def note(self, state: str) -> None:
        if not self.ended:
            self._state = state

    def finish(self, outcome: str, error: errors.VisitorError | None) -> None:
        with self._changed:
            if not self.ended:
                self._state, self._error = outcome, error
                self._wake()

    def _wake(self) -> None:
        self._changed.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, future in sleepers:
            try:
                loop.call_soon_threadsafe(_settle, future)
            except RuntimeError:        # the loop is closed: its reader has gone
                self._client.dropped(self.number)

    # --- what the reader does ------------------------------------------------------------------------------------

    def take(self) -> tuple[bool, Any]:
        """(True, frame), or (False, None) when nothing has arrived. Raises at the end. Hold `changed`."""
        if self._inbox:
            self.last_read = time.monotonic()
            frame = self._inbox.popleft()
            self._unacknowledged += 1
            if self._unacknowledged >= self._lump and not self.ended:
                self._client.send(self.number, wire.Ack(self.number, self._unacknowledged))
                self._unacknowledged = 0
            return True, frame
        if self._error is not None:
            raise type(self._error)(str(self._error))
        if self.ended:
            raise StopIteration
        return False, None


class Reader:
    """Iterates a run, in a thread or in a coroutine. Closing it (or dropping it) before the end cancels the run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open = True

    def __iter__(self) -> Reader:
        return self

    def __aiter__(self) -> Reader:
        return self

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __next__(self) -> Any:
        return self.take(None)

    def take(self, until: float | None) -> Any:
        """The next frame, waiting for it at most until that moment. Raises StopIteration, VisitorError, TimedOut."""
        run = self._run
        with run._changed:
            while True:
                found, frame = run.take()
                if found:
                    return frame
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise errors.TimedOut("The answer took longer than it may and was given up: try again.")
                run._listening += 1
                try:
                    run._changed.wait(left)
                finally:
                    run._listening -= 1
                    run.last_read = time.monotonic()

    async def __anext__(self) -> Any:
        run = self._run
        while True:
            with run._changed:
                try:
                    found, frame = run.take()
                except StopIteration:
                    raise StopAsyncIteration from None
                if found:
                    return frame
                loop = asyncio.get_running_loop()
                future = loop.create_future()
                run._sleepers.append((loop, future))
                run._listening += 1
            run._client.hold(run)       # the engine's thread keeps only weak references, and so may the loop
            try:
                await future
            finally:
                with run._changed:
                    run._listening -= 1
                    run.last_read = time.monotonic()
                run._client.unhold(run)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._run.cancel()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        if self._open and not self._run.ended:
            self._run._client.dropped(self._run.number)


def _settle(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)


def _sentence(state: str, ahead: int, awake: bool) -> str:
    if not awake:
        return "The engine is starting."
    if state == "queued":
        return f"Waiting: {ahead} {'run is' if ahead == 1 else 'runs are'} ahead of yours." if ahead else \
            "Waiting: yours is next."
    return {"loading": "Loading the model.", "running": "Working.", "paused": "Paused.", "done": "Done.",
            "failed": "It did not work.", "cancelled": "Stopped."}[state]
