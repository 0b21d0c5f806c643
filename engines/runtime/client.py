"""The hub's side: starts runs, admits them, keeps engines alive, knows how things stand. Imports no torch."""

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
from collections import Counter, deque
from typing import Any

from engines.runtime import errors, trained, wire
from engines.runtime.admission import Admission, Ticket
from engines.runtime.contract import Job, ModelRef
from engines.runtime.limits import Limits
from engines.runtime.links import ProcessLink, ThreadLink
from engines.runtime.run import Run
from engines.runtime.status import EngineState, RunRecord

log = logging.getLogger(__name__)

_TICK = 0.25                        # seconds between looks at readers and engines, while there are any runs
_BACKOFF = (0.0, 0.5, 2.0, 5.0, 10.0)   # seconds before an engine that dies while starting is started again
_FULL = 16                          # runs that share an engine before another is tried: see Limits.running_in_all
_HOPELESS = 3                       # engines in a row that died while starting, before waiting runs are told
DOES_NOT_START = "The engine does not start; the reason is in the gallery's log: tell whoever runs this gallery."
LOST = ("The engine stopped while it worked for you, and a new one is starting: "
        "try again in a few seconds.")
OWNED = "GALLERY_TRAINED_OWNED"


class Engine:
    """One engine as the client knows it."""

    def __init__(self, index: int, device: str | None) -> None:
        self.index = index
        self.device = device
        self.link: ProcessLink | ThreadLink | None = None
        self.hello: wire.Hello | None = None
        self.models: tuple[tuple[str, int], ...] = ()
        self.started = self.heard = self.looked = 0.0
        self.silent = 0.0           # seconds without a word from it
        self.generation = 0
        self.failures = 0
        self.retry_at = 0.0

    def free(self) -> int:
        """Bytes of its budget that no model holds."""
        return (self.hello.budget_bytes if self.hello else 0) - sum(size for _, size in self.models)


class Client:
    """Everything between `runtime.start` and the engines. Its public methods may be called from any thread."""

    def __init__(self, mode: str, limits: Limits, devices: str = "") -> None:
        """devices: one engine for each, separated by commas; empty: one for each CUDA device, else one in all."""
        self.mode, self.limits = mode, limits
        self._lock = threading.RLock()          # engines, and the way of a run from the queue to one
        self._numbers = itertools.count(1)
        self._admission = Admission(limits)
        self._runs: weakref.WeakValueDictionary[int, Run] = weakref.WeakValueDictionary()
        self._held: dict[int, Run] = {}
        self._facts: dict[int, tuple[str, str, float]] = {}     # run -> (job, session, when it began)
        self._frames: dict[int, int] = {}
        self._recent: deque[RunRecord] = deque(maxlen=limits.recent)
        self._events: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._restarts = 0
        self._stopped = False
        self._trained = self._make_trained()
        self._ready = threading.Event()
        self._engines = [Engine(0, None)]
        if devices and mode == "process":
            self._engines = [Engine(index, each.strip()) for index, each in enumerate(devices.split(","))]
        elif devices:
            self._engines = [Engine(0, devices)]
        for engine in self._engines:
            self._launch(engine)
        threading.Thread(target=self._watch, name="runtime-watch", daemon=True).start()

    # --- runs ----------------------------------------------------------------------------------------------------

    def start(self, job: Job, params: Any, session: str) -> Run:
        """Admit a run. Raises Busy, and BadInput or ModelFault where the job's models cannot be named."""
        if not isinstance(params, job.params):
            raise TypeError(f"{job.target} takes {job.params.__name__}, not {type(params).__name__}")
        number = next(self._numbers)
        order = wire.Order(number, session, job.target, params, job.models(params), job.mode, job.outbox,
                           job.outbox_size, job.deadline_s, job.memory_mb)
        run = Run(number, job, session, self)
        idle = not self._facts
        self._runs[number] = run
        self._facts[number] = (job.target, session, time.time())
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
        """Its reader has gone. May be called from a finaliser: only puts it on the list."""
        self._events.put(number)

    def leave(self, session: str) -> None:
        for number in self._admission.of(session):
            self.cancel(number)

    def ahead(self, number: int) -> int:
        return self._admission.ahead(number)

    def hold(self, run: Run) -> None:
        self._held[run.number] = run

    def unhold(self, run: Run) -> None:
        self._held.pop(run.number, None)

    def send(self, number: int, message: Any) -> bool:
        """Say something about a run to the engine that has it; False when none has it yet."""
        ticket = self._admission.get(number)
        if ticket is None or ticket.engine < 0:
            return False
        link = self._engines[ticket.engine].link
        if link is None:
            return False
        link.send(message)
        return True

    def _promote(self) -> None:
        """Send whoever may run now to an engine. What cannot be sent ends with a sentence."""
        with self._lock:
            if all(each.link is None for each in self._engines):
                return
            for ticket in self._admission.next():
                self._dispatch(ticket, self._choose(ticket.order))

    def _dispatch(self, ticket: Ticket, engine: Engine) -> None:
        number = ticket.order.run
        ticket.engine = engine.index
        run = self._runs.get(number)
        if run is None:
            self._finish(number, "cancelled", None)
            return
        run.note("running")
        try:
            engine.link.send(ticket.order)
        except Exception:
            log.exception("run %d of %s could not be sent", number, ticket.order.target)
            self._finish(number, "failed", errors.JobFailed("What was asked cannot be sent to the engine: "
                                                            "try other settings."))
            return
        if run.paused_at is not None:
            engine.link.send(wire.Pause(number, True))

    def _choose(self, order: wire.Order) -> Engine:
        """The engine that has the models, until its joined passes are full; else the one with most memory free."""
        names = {ref.name for ref in order.models}

        def rank(engine: Engine) -> tuple[bool, int, bool, int]:
            load = len(self._admission.on(engine.index)) // _FULL
            held = {name for name, _ in engine.models}
            broken = engine.link is None or bool(engine.hello and engine.hello.fault)
            return broken, load, not names <= held, -engine.free()

        return min(self._engines, key=rank)

    def _finish(self, number: int, outcome: str, error: errors.VisitorError | None) -> None:
        self._admission.leave(number)
        facts = self._facts.pop(number, None)
        frames = self._frames.pop(number, 0)
        run = self._runs.get(number)
        if outcome == "cancelled" and error is None:
            error = errors.Cancelled("This was stopped before it was done.")
        if facts is not None:
            job, session, began = facts
            now = time.time()
            self._recent.append(RunRecord(job, _short(session), now, now - began, frames,
                                          type(error).__name__ if outcome == "failed" else outcome))
        if run is not None:
            run.finish(outcome, error)
        self._promote()

    # --- what the engine says ------------------------------------------------------------------------------------

    def _hear(self, engine: Engine, message: Any) -> None:
        engine.heard = time.monotonic()
        if isinstance(message, wire.Frame):
            run = self._runs.get(message.run)
            if message.run in self._facts:
                self._frames[message.run] = self._frames.get(message.run, 0) + 1
            if run is not None:
                run.deliver(message.frame)
        elif isinstance(message, wire.End):
            kind = getattr(errors, message.error) if message.error else None
            self._finish(message.run, message.outcome, kind(message.sentence) if kind else None)
        elif isinstance(message, wire.Status):
            run = self._runs.get(message.run)
            if run is not None:
                run.note(message.state)
        elif isinstance(message, wire.Residents):
            engine.models = message.models
        elif isinstance(message, wire.Hello):
            engine.hello = message
            self._ready.set()
            self._use_all_devices(engine, message)
        elif isinstance(message, wire.Beat) and message.overdue_s > self.limits.overdue_s:
            log.error("a step of run %d does not come back: the engine is replaced", message.run)
            engine.link.kill()

    def _use_all_devices(self, engine: Engine, hello: wire.Hello) -> None:
        """Several CUDA devices and none chosen by the host: one engine each."""
        with self._lock:
            if engine.device is None and hello.device.startswith("cuda") and self.mode == "process":
                engine.device = hello.device
                for number in range(1, hello.devices):
                    extra = Engine(len(self._engines), f"cuda:{number}")
                    self._engines.append(extra)
                    self._launch(extra)

    # --- engines -------------------------------------------------------------------------------------------------

    def _launch(self, engine: Engine) -> None:
        kind = ProcessLink if self.mode == "process" else ThreadLink
        now = time.monotonic()
        with self._lock:
            engine.generation += 1
            engine.hello, engine.models, engine.started, engine.heard = None, (), now, now
            generation = engine.generation
            engine.link = kind(lambda message: self._hear(engine, message),
                               lambda: self._lose(engine, generation), self.limits, engine.device)

    def _lose(self, engine: Engine, generation: int) -> None:
        """Called on the link's thread when its engine has ended, whether it was told to or not."""
        with self._lock:
            if self._stopped or engine.generation != generation:
                return
            self._ready.clear()
            engine.failures = 1 if engine.hello is not None else engine.failures + 1
            engine.retry_at = time.monotonic() + _BACKOFF[min(engine.failures - 1, len(_BACKOFF) - 1)]
            engine.link = engine.hello = None
            engine.models = ()
            self._restarts += 1
        log.error("the engine ended; a new one is started")
        hopeless = engine.failures >= _HOPELESS         # then those who wait are told so, instead of waiting for ever
        for number in self._admission.all() if hopeless else self._admission.on(engine.index):
            self._finish(number, "failed", errors.EngineLost(DOES_NOT_START if hopeless else LOST))
        self._events.put(None)

    # --- the watch -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped:
            try:
                number = self._events.get(timeout=_TICK if self._busy() else 2.0)
                if number is not None:
                    self.cancel(number)
                    continue
            except queue.Empty:
                number = None
            try:
                self._look()
            except Exception:
                log.exception("the watch stumbled")     # it must go on: it alone replaces a dead engine

    def _busy(self) -> bool:
        return bool(self._facts) or any(each.link is None for each in self._engines)

    def _look(self) -> None:
        now = time.monotonic()
        for engine in self._engines:
            if self._stopped:
                return
            if engine.link is None and now >= engine.retry_at:
                self._launch(engine)
                self._promote()
            elif self.mode == "process" and engine.link is not None:
                self._listen_for(engine, now)
        for number in self._admission.all():
            run = self._runs.get(number)
            if run is None:
                self.cancel(number)
            else:
                self._look_at(run, now)

    def _listen_for(self, engine: Engine, now: float) -> None:
        """Replace a frozen engine. Silence counts by looks, so that a hub that slept does not blame its engine."""
        engine.silent = 0.0 if now - engine.heard < 2 else engine.silent + min(now - engine.looked, 2.0)
        engine.looked = now
        if engine.silent > self.limits.beats_missed:
            log.error("the engine has not been heard of for %.0f s: it is replaced", engine.silent)
            engine.silent = 0.0
            engine.link.kill()

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
        hellos = [each.hello for each in self._engines if each.hello is not None]
        first = hellos[0] if hellos else None
        fault = DOES_NOT_START if min(each.failures for each in self._engines) >= _HOPELESS else ""
        models = tuple(model for each in self._engines for model in each.models)
        recent = tuple(reversed(self._recent))
        if first is None:
            return EngineState(False, self.mode, running=running, queued=queued, restarts=self._restarts, fault=fault,
                               recent=recent)
        names = Counter(each.device_name for each in hellos)
        return EngineState(not first.fault, self.mode, ", ".join(each.device for each in hellos),
                           ", ".join(f"{count} × {name}" if count > 1 else name for name, count in names.items()),
                           first.pid, first.torch, first.threads, models, sum(each.budget_bytes for each in hellos),
                           running, queued, self._restarts, first.fault, recent)

    def warm(self, models: tuple[ModelRef, ...], timeout: float | None) -> bool:
        for engine in self._engines:
            if engine.link is not None:
                engine.link.send(wire.Warm(models))
        return self._ready.wait(timeout) if timeout else self._ready.is_set()

    # --- ends ----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every run and every engine."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            links = [each.link for each in self._engines if each.link is not None]
        for link in links:
            link.stop()
        for number in self._admission.all():
            self._finish(number, "cancelled", None)
        self._events.put(None)
        if self._trained:
            shutil.rmtree(self._trained, ignore_errors=True)
            if os.environ.get(trained.FOLDER) == self._trained:
                del os.environ[trained.FOLDER], os.environ[OWNED]

    def _make_trained(self) -> str:
        """A folder for trained models, unless the host has given one; removed when the runtime stops."""
        if os.environ.get(trained.FOLDER):
            return ""
        place = tempfile.mkdtemp(prefix="gallery-trained-")
        os.environ[trained.FOLDER] = place
        os.environ[OWNED] = "1"
        return place


def _short(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:6]
