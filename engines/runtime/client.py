"""The hub's side: starts runs, admits them, watches their readers, knows how things stand. Imports no torch."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import queue
import shutil
import tempfile
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

from engines.runtime import errors, trained, wire
from engines.runtime.admission import Admission, Ticket
from engines.runtime.contract import Job, ModelRef
from engines.runtime.fleet import DOES_NOT_START, Fleet
from engines.runtime.limits import Limits
from engines.runtime.run import Run
from engines.runtime.status import EngineState, RunRecord

log = logging.getLogger(__name__)

_TICK = 0.25        # seconds between looks at readers and engines while there is anything to look at
_IDLE_TICK = 1.0    # and while there is not
_LOST = "The engine stopped while it worked for you, and a new one is starting: try again in a few seconds."


@dataclass
class _Facts:
    """What the lab book says of a run, kept while it lives."""

    job: str
    session: str
    began: float
    frames: int = 0


class Client:
    """Everything between `runtime.start` and the engines. Its public methods may be called from any thread."""

    def __init__(self, mode: str, limits: Limits, devices: str = "") -> None:
        """devices: one engine for each, separated by commas; empty: one for each CUDA device, else one in all."""
        self.mode, self.limits = mode, limits
        self._lock = threading.RLock()          # a run's way from the queue to an engine
        self._numbers = itertools.count(1)
        self._admission = Admission(limits)
        self._runs: weakref.WeakValueDictionary[int, Run] = weakref.WeakValueDictionary()
        self._awaited: dict[int, Run] = {}      # runs that a coroutine waits for
        self._facts: dict[int, _Facts] = {}
        self._recent: deque[RunRecord] = deque(maxlen=limits.recent)
        self._events: queue.SimpleQueue[int | None] = queue.SimpleQueue()   # runs whose reader has gone; None: look now
        self._stopped = False
        self._trained = _make_trained()
        self.fleet = Fleet(mode, limits, devices, self._hear, self._promote, self._lose)
        self.fleet.start()
        threading.Thread(target=self._watch, name="runtime-watch", daemon=True).start()

    # --- runs ----------------------------------------------------------------------------------------------------

    def start(self, job: Job, params: Any, session: str) -> Run:
        """Admit a run. Raises Busy when too many wait already."""
        if not isinstance(params, job.params):
            raise TypeError(f"{job.target} takes {job.params.__name__}, not {type(params).__name__}")
        number = next(self._numbers)
        order = wire.Order(number, session, job.target, params, job.models(params), job.mode, job.outbox,
                           job.outbox_size, job.deadline_s, job.memory_mb)
        run = Run(number, job, session, self)
        idle = not self._facts
        self._runs[number] = run
        self._facts[number] = _Facts(job.target, session, time.time())
        try:
            self._admission.enter(order)
        except errors.Busy:
            del self._facts[number]
            run.finish("failed", None)      # never admitted: nothing to cancel when it is dropped
            raise
        self._promote()
        if idle:
            self._events.put(None)
        return run

    def cancel(self, number: int) -> None:
        with self._lock:        # or it might be on its way from the queue to an engine
            ticket = self._admission.get(number)
            if ticket is None or (ticket.running and self.send(number, wire.Cancel(number))):
                return
        self._finish(number, "cancelled", None)

    def dropped(self, number: int) -> None:
        """Its reader has gone. May be called from a finaliser: it only puts it on the list."""
        self._events.put(number)

    def leave(self, session: str) -> None:
        for number in self._admission.of(session):
            self.cancel(number)

    def ahead(self, number: int) -> tuple[int, bool]:
        """(how many waiting runs came before this one, whether there is an engine at all)."""
        return self._admission.ahead(number), self.fleet.alive()

    def hold(self, run: Run) -> None:
        """Keep a run alive that a coroutine waits for: perhaps nobody but the coroutine holds it, or the other way."""
        self._awaited[run.number] = run

    def unhold(self, run: Run) -> None:
        self._awaited.pop(run.number, None)

    def send(self, number: int, message: Any) -> bool:
        """Say something about a run to the engine that has it; False when none has it yet, or any more."""
        ticket = self._admission.get(number)
        return ticket is not None and ticket.engine >= 0 and self.fleet.send(ticket.engine, message)

    def _promote(self) -> None:
        """Send whoever may run now to an engine."""
        with self._lock:
            if not self._stopped and self.fleet.alive():
                for ticket in self._admission.next():
                    self._dispatch(ticket)

    def _dispatch(self, ticket: Ticket) -> None:
        number = ticket.order.run
        run = self._runs.get(number)
        if run is None:
            self._finish(number, "cancelled", None)
            return
        ticket.engine = self.fleet.choose(ticket.order, self._admission.loads).index
        run.note("running")
        try:
            sent = self.fleet.send(ticket.engine, ticket.order)
        except Exception:
            log.exception("run %d of %s could not be sent", number, ticket.order.target)
            self._finish(number, "failed", errors.JobFailed("What was asked cannot be sent to the engine: "
                                                            "try other settings."))
            return
        if not sent:
            self._finish(number, "failed", errors.EngineLost(_LOST))
        if run.newest is not None:
            self.fleet.send(ticket.engine, wire.Update(number, run.newest))
        if run.paused_at is not None:
            self.fleet.send(ticket.engine, wire.Pause(number, True))

    def _finish(self, number: int, outcome: str, error: errors.VisitorError | None) -> None:
        self._admission.leave(number)
        facts = self._facts.pop(number, None)
        run = self._runs.get(number)
        if outcome == "cancelled" and error is None:
            error = errors.Cancelled("This was stopped before it was done.")
        if facts is not None:
            now = time.time()
            self._recent.append(RunRecord(facts.job, _short(facts.session), now, now - facts.began, facts.frames,
                                          type(error).__name__ if outcome == "failed" else outcome))
        if run is not None:
            run.finish(outcome, error)
        self._awaited.pop(number, None)
        if self._admission.counts()[1]:
            self._promote()

    # --- what the engines say ------------------------------------------------------------------------------------

    def _hear(self, message: Any) -> None:
        run = self._runs.get(message.run)
        if isinstance(message, wire.Frame):
            facts = self._facts.get(message.run)
            if facts is not None:
                facts.frames += 1
            if run is not None:
                run.deliver(message.frame)
        elif isinstance(message, wire.End):
            kind = getattr(errors, message.error) if message.error else None
            self._finish(message.run, message.outcome, kind(message.sentence) if kind else None)
        elif isinstance(message, wire.Status) and run is not None:
            run.note(message.state)

    def _lose(self, engine: int, hopeless: bool) -> None:
        """An engine ended: tell the runs it had; and those that wait, if there is nothing to wait for."""
        nothing_to_wait_for = hopeless and not self.fleet.alive()
        for number in self._admission.all() if nothing_to_wait_for else self._admission.on(engine):
            self._finish(number, "failed", errors.EngineLost(DOES_NOT_START if hopeless else _LOST))
        self._events.put(None)

    # --- the watch -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped:
            try:
                number = self._events.get(timeout=_TICK if self._facts or self.fleet.waits() else _IDLE_TICK)
            except queue.Empty:
                number = None
            try:
                if number is None:
                    self._look()
                else:
                    self.cancel(number)
            except Exception:
                log.exception("the watch stumbled")     # it must go on: it alone replaces a dead engine

    def _look(self) -> None:
        self.fleet.look()
        now = time.monotonic()
        for number in self._admission.all():
            run = self._runs.get(number)
            if run is None:
                self.cancel(number)
            else:
                self._look_at(run, now)

    def _look_at(self, run: Run, now: float) -> None:
        """Park a run whose reader is silent, take it up again when the reader is back, end it when it stays away."""
        if run.paused_at is not None:
            if now - run.paused_at > self.limits.paused_s:
                self.cancel(run.number)
            return
        unread = run.unread(now)
        parked = unread > self.limits.parked_s
        ticket = self._admission.get(run.number)
        if unread > self.limits.silent_s:
            self.cancel(run.number)
        elif ticket is not None and ticket.parked != parked:
            self._admission.park(run.number, parked)
            self.send(run.number, wire.Park(run.number, parked))
            self._promote()

    # --- state ---------------------------------------------------------------------------------------------------

    def state(self) -> EngineState:
        running, queued = self._admission.counts()
        hellos, fault, recent = self.fleet.hellos(), self.fleet.fault(), tuple(reversed(self._recent))
        if not hellos:
            return EngineState(False, self.mode, running=running, queued=queued, restarts=self.fleet.restarts,
                               fault=fault, recent=recent)
        first = hellos[0]
        return EngineState(not fault, self.mode, ", ".join(each.device for each in hellos), self.fleet.device_name(),
                           first.pid, first.torch, first.threads, self.fleet.models(),
                           sum(each.budget_bytes for each in hellos), running, queued, self.fleet.restarts, fault,
                           recent)

    def warm(self, models: tuple[ModelRef, ...], timeout: float | None) -> bool:
        for engine in list(self.fleet.engines):
            self.fleet.send(engine.index, wire.Warm(models))
        return self.fleet.ready.wait(timeout) if timeout else self.fleet.ready.is_set()

    # --- the end -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every run and every engine."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self.fleet.stop()
        for number in self._admission.all():
            self._finish(number, "cancelled", None)
        self._events.put(None)
        if self._trained:
            shutil.rmtree(self._trained, ignore_errors=True)
            if os.environ.get(trained.FOLDER) == self._trained:
                del os.environ[trained.FOLDER], os.environ[trained.OWNED]


def _make_trained() -> str:
    """A folder for trained models, unless the host has given one; it goes when the runtime stops."""
    if os.environ.get(trained.FOLDER):
        return ""
    place = tempfile.mkdtemp(prefix="gallery-trained-")
    os.environ[trained.FOLDER] = place
    os.environ[trained.OWNED] = "1"
    return place


def _short(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:6]
