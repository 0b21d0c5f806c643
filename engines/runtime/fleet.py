"""The engines of this hub: started, listened to, replaced when they die or freeze."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from engines.runtime import wire
from engines.runtime.limits import Limits
from engines.runtime.links import ProcessLink, ThreadLink

log = logging.getLogger(__name__)

DOES_NOT_START = "The engine does not start; the reason is in the gallery's log: tell whoever runs this gallery."
_BACKOFF = (0.0, 0.5, 2.0, 5.0, 10.0)   # seconds before an engine that dies while starting is started again
_HOPELESS = 3       # engines in a row that died while starting, before waiting runs are told
_FULL = 16          # runs that share an engine before another is tried: where joined passes stop gaining


class Engine:
    """One engine as the hub knows it."""

    def __init__(self, index: int, device: str) -> None:
        self.index = index
        self.device = device        # as the host named it; empty: the engine chooses
        self.link: ProcessLink | ThreadLink | None = None
        self.hello: wire.Hello | None = None
        self.models: tuple[tuple[str, int], ...] = ()
        self.heard = self.looked = 0.0
        self.silent = 0.0           # seconds without a word from it
        self.generation = 0         # how many have been started in this place
        self.failures = 0           # how many in a row died while starting
        self.retry_at = 0.0

    def free(self) -> int:
        """Bytes of its budget that no model holds."""
        return (self.hello.budget_bytes if self.hello else 0) - sum(size for _, size in self.models)

    def works(self) -> bool:
        return self.link is not None and not (self.hello is not None and self.hello.fault)


class Fleet:
    """Calls tell(message) with each message about a run, up() when an engine has come up, and
    lost(index, hopeless) when one has ended; all on the threads of the links.
    """

    def __init__(self, mode: str, limits: Limits, devices: str, tell: Callable[[Any], None],
                 up: Callable[[], None], lost: Callable[[int, bool], None]) -> None:
        self.mode, self.limits = mode, limits
        self.restarts = 0
        self.ready = threading.Event()
        self._tell, self._up, self._lost = tell, up, lost
        self._lock = threading.RLock()
        self._stopped = False
        places = devices.split(",") if mode == "process" else [devices]
        self.engines = [Engine(index, place.strip()) for index, place in enumerate(places)]

    def start(self) -> None:
        for engine in list(self.engines):
            self._launch(engine)

    def alive(self) -> bool:
        """Whether any engine has come up and not gone."""
        return any(engine.hello is not None for engine in self.engines)

    def waits(self) -> bool:
        """Whether an engine is to be started again."""
        return any(engine.link is None for engine in self.engines)

    def send(self, index: int, message: Any) -> bool:
        """False when that engine has just ended. Raises what pickling raises."""
        link = self.engines[index].link
        if link is not None:
            link.send(message)
        return link is not None

    def choose(self, order: wire.Order, loads: Callable[[], Mapping[int, int]]) -> Engine:
        """The engine that has the models, until its joined passes are full; else the one with most memory free.

        loads: called for the number of runs by engine.
        """
        if len(self.engines) == 1:
            return self.engines[0]
        names, runs = {ref.name for ref in order.models}, loads()

        def rank(engine: Engine) -> tuple[bool, bool, int, bool, int]:
            held = {name for name, _ in engine.models}
            load = runs.get(engine.index, 0) // _FULL
            return engine.hello is None, not engine.works(), load, not names <= held, -engine.free()

        return min(self.engines, key=rank)

    # --- listening -----------------------------------------------------------------------------------------------

    def hear(self, engine: Engine, message: Any) -> None:
        """Take a message of an engine, on its link's thread."""
        engine.heard = time.monotonic()
        if isinstance(message, wire.Residents):
            engine.models = message.models
        elif isinstance(message, wire.Hello):
            engine.hello = message
            self._use_all_devices(engine, message)
            self.ready.set()
            self._up()
        elif not isinstance(message, wire.Beat):
            self._tell(message)
        elif message.overdue_s > self.limits.overdue_s:
            log.error("a step of run %d does not come back: the engine is replaced", message.run)
            engine.link.kill()

    def _use_all_devices(self, engine: Engine, hello: wire.Hello) -> None:
        """Several CUDA devices, and none chosen by the host: one engine each."""
        with self._lock:
            if engine.device or not hello.device.startswith("cuda") or self.mode != "process":
                return
            engine.device = hello.device
            for number in range(1, hello.devices):
                self.engines.append(Engine(len(self.engines), f"cuda:{number}"))
                self._launch(self.engines[-1])

    def look(self) -> None:
        """Start what has ended, end what is frozen. Called each second or more often."""
        now = time.monotonic()
        for engine in list(self.engines):
            if self._stopped:
                break
            if engine.link is None and now >= engine.retry_at:
                self._launch(engine)
            elif engine.link is not None and self.mode == "process":
                self._listen_for(engine, now)

    def _listen_for(self, engine: Engine, now: float) -> None:
        """Silence counts by looks, so that a hub that slept does not blame its engine."""
        engine.silent = 0.0 if now - engine.heard < 2 else engine.silent + min(now - engine.looked, 2.0)
        engine.looked = now
        if engine.silent > (self.limits.frozen_s if engine.hello else self.limits.starting_s):
            log.error("the engine has not been heard of for %.0f s: it is replaced", engine.silent)
            engine.silent = 0.0
            engine.link.kill()

    # --- starting and ending -------------------------------------------------------------------------------------

    def _launch(self, engine: Engine) -> None:
        kind = ProcessLink if self.mode == "process" else ThreadLink
        with self._lock:
            engine.generation += 1
            generation = engine.generation
            engine.hello, engine.models = None, ()
            engine.heard = engine.looked = time.monotonic()
            engine.link = kind(lambda message: self.hear(engine, message), lambda: self._lose(engine, generation),
                               self.limits, engine.device)

    def _lose(self, engine: Engine, generation: int) -> None:
        """Called on the link's thread when its engine has ended, whether it was told to or not."""
        with self._lock:
            if self._stopped or engine.generation != generation:
                return
            self.ready.clear()
            engine.failures = 1 if engine.hello is not None else engine.failures + 1
            engine.retry_at = time.monotonic() + _BACKOFF[min(engine.failures, len(_BACKOFF)) - 1]
            engine.link = engine.hello = None
            engine.models = ()
            self.restarts += 1
        log.error("the engine ended; a new one is started")
        self._lost(engine.index, engine.failures >= _HOPELESS)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            links = [engine.link for engine in self.engines if engine.link is not None]
        for link in links:
            link.send(wire.Stop())
        for link in links:
            link.stop()

    # --- state ---------------------------------------------------------------------------------------------------

    def hellos(self) -> list[wire.Hello]:
        return [engine.hello for engine in self.engines if engine.hello is not None]

    def device_name(self) -> str:
        names = Counter(hello.device_name for hello in self.hellos())
        return ", ".join(f"{count} × {name}" if count > 1 else name for name, count in names.items())

    def models(self) -> tuple[tuple[str, int], ...]:
        return tuple(model for engine in self.engines for model in engine.models)

    def fault(self) -> str:
        """A sentence when no engine works, else empty."""
        hellos = self.hellos()
        if any(not hello.fault for hello in hellos):
            return ""
        hopeless = all(engine.failures >= _HOPELESS for engine in self.engines)
        return hellos[0].fault if hellos else DOES_NOT_START if hopeless else ""
