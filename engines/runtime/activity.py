"""One run on the engine: its generator, its outbox, its clock; and the line of those that wait for memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

from engines.runtime import wire
from engines.runtime.contract import Forward

MB = 2**20


class Activity:
    """State of one run between two steps. Touched by the engine's thread only."""

    def __init__(self, order: wire.Order, emit: Callable[[Any], None], used: float) -> None:
        self.order = order
        self.generator: Generator | None = None
        self.modules: tuple[Any, ...] | None = None      # leased; None until the run is opened
        self.request: Forward | None = None              # a forward pass it waits for
        self.key: Any = None                             # what that pass can be joined with
        self.begun = False                               # whether a step has been taken
        self.asked = False                               # whether the last step asked for a pass
        self.unasked = 0                                 # steps since it last did
        self.value: Any = None                           # what its next step is sent
        self.error: Exception | None = None              # or what is raised in it
        self.newest: Any = None                          # params given to Run.update, not yet taken
        self.paused = self.parked = self.short = False   # short: waits for memory
        self.able = False                                # as ready() said when it was last marked
        self.retried = False                             # started over once after running out of memory
        self.frames = 0
        self.used = used                                 # seconds of the engine's thread
        self._emit = emit
        self._credits = order.outbox_size if order.outbox == "wait" else 1
        self._held: Any = None
        self._ran = 0.0
        self._since: float | None = None

    @property
    def working(self) -> int:
        return self.order.memory_mb * MB

    def tell(self, state: str) -> None:
        self._emit(wire.Status(self.order.run, state))

    # --- outbox --------------------------------------------------------------------------------------------------

    def offer(self, frame: Any) -> None:
        """Send a frame, or keep it as the newest until the reader has room ("latest").

        Raises TypeError for a frame that holds a tensor: it would take torch, or memory, out of the engine.
        """
        for name, value in getattr(frame, "__dict__", {}).items():
            if type(value).__module__.partition(".")[0] == "torch":
                raise TypeError(f"{type(frame).__name__}.{name} is a {type(value).__name__}: yield numpy arrays")
        self.frames += 1
        if self.order.outbox == "latest" and self._credits <= 0:
            self._held = frame
            return
        self._send(frame)

    def acknowledge(self, count: int) -> None:
        self._credits += count
        if self._held is not None and self._credits > 0:
            self.flush()

    def flush(self) -> None:
        """Send the newest frame whatever the reader does: the last frame is never dropped."""
        frame, self._held = self._held, None
        if frame is not None:
            self._send(frame)

    def _send(self, frame: Any) -> None:
        self._credits -= 1
        self._emit(wire.Frame(self.order.run, frame))

    # --- readiness and clock -------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether it can be stepped: not paused, parked or short of memory, and its reader keeps up."""
        waits = self.order.outbox == "wait" and self._credits <= 0
        return not (self.paused or self.parked or self.short or waits)

    def mark(self, now: float) -> None:
        """Keep the deadline's clock: it runs only while the run can be stepped. Call after every change."""
        self.able = self.ready()
        if self.able:
            if self._since is None:
                self._since = now
        elif self._since is not None:
            self._ran += now - self._since
            self._since = None

    def elapsed(self, now: float) -> float:
        """Seconds so far, without time spent paused, or waiting for memory or for the reader."""
        return self._ran + (now - self._since if self._since is not None else 0.0)

    def overdue(self, now: float) -> float:
        return self.elapsed(now) - self.order.deadline_s

    def close(self) -> None:
        """End the generator and let go of everything it held."""
        generator, self.generator = self.generator, None
        self.request = self.key = self.value = self.error = self.newest = self._held = None
        self.modules, self.begun, self.asked, self.unasked = None, False, False, 0
        if generator is not None:
            generator.close()


class Line:
    """Runs that wait for memory, first come first served. One that is paused or parked holds nobody up."""

    def __init__(self) -> None:
        self._waiting: list[Activity] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, activity: Activity) -> bool:
        return activity in self._waiting

    def lets(self, activity: Activity) -> bool:
        """Whether it may try to get memory now: nobody came before it."""
        return self._first() in (None, activity)

    def join(self, activity: Activity) -> None:
        if activity not in self._waiting:
            self._waiting.append(activity)
            activity.tell("queued")
        activity.short = True
        activity.mark(time.monotonic())

    def leave(self, activity: Activity) -> None:
        if activity in self._waiting:
            self._waiting.remove(activity)
            self.call()

    def call(self) -> None:
        """Memory was given back, or the first in line has gone: let the next one try."""
        first = self._first()
        if first is not None:
            first.short = False
            first.mark(time.monotonic())

    def _first(self) -> Activity | None:
        return next((each for each in self._waiting if not (each.paused or each.parked)), None)
