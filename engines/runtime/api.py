"""The runtime of this process: made on first use, ended with the process."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from engines.runtime.client import Client
from engines.runtime.contract import Job, ModelRef
from engines.runtime.limits import Limits
from engines.runtime.run import Run
from engines.runtime.status import EngineState

DEVICE = "GALLERY_DEVICE"
MODE = "GALLERY_ENGINE"     # "process" or "thread", for where configure() cannot be called


@dataclass
class _Runtime:
    """The one client of this process, and how the next one is to be made."""

    lock: Any = field(default_factory=threading.RLock)
    mode: str = ""
    limits: Limits = Limits()
    device: str = ""
    client: Client | None = None

    def get(self) -> Client:
        with self.lock:
            if self.client is None:
                mode = self.mode or os.environ.get(MODE, "") or "process"
                if mode not in ("process", "thread"):
                    raise ValueError(f"{MODE} is {mode!r}; it may be 'process' or 'thread'")
                self.client = Client(mode, self.limits, self.device or os.environ.get(DEVICE, ""))
                atexit.register(self.client.stop)
            return self.client


_runtime = _Runtime()


def configure(mode: Literal["process", "thread"] | None = None, limits: Limits | None = None,
              device: str = "") -> None:
    """Choose how engines are run from now on; a running one is stopped first. None: as by default.

    device: as GALLERY_DEVICE, which it overrides: "cpu", "cuda:1", or several ("cuda:0,cuda:1"), one engine each.
    """
    with _runtime.lock:
        stop()
        _runtime.mode, _runtime.limits, _runtime.device = mode or "", limits or Limits(), device


def start(job: Job, params: Any, session: str = "") -> Run:
    """Start a job for a visitor. Raises Busy when too many runs wait already."""
    return _runtime.get().start(job, params, session)


def leave(session: str) -> None:
    """A visitor has gone: end all their runs."""
    client = _runtime.client
    if client is not None:
        client.leave(session)


def warm(models: tuple[ModelRef, ...] = (), timeout: float | None = None) -> bool:
    """Start the engine and load models ahead of the first visitor. Returns whether the engine is ready.

    timeout: seconds to wait for it; None does not wait.
    """
    return _runtime.get().warm(models, timeout)


def state() -> EngineState:
    """How the runtime stands; cheap, starts nothing."""
    client = _runtime.client
    if client is None:
        return EngineState(False, _runtime.mode or os.environ.get(MODE, "") or "process")
    return client.state()


def stop() -> None:
    """End every run and the engine. The next start begins anew."""
    with _runtime.lock:
        client, _runtime.client = _runtime.client, None
    if client is not None:
        atexit.unregister(client.stop)
        client.stop()
