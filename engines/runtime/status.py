"""What can be said about the runtime at any moment, cheaply: plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RunState = Literal["queued", "loading", "running", "paused", "done", "failed", "cancelled"]
ENDED: tuple[str, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands. ahead: runs that start before it; frames: frames that have arrived."""

    state: RunState
    ahead: int
    frames: int
    sentence: str


@dataclass(frozen=True)
class RunRecord:
    """A run that has ended. session: six characters that tell visitors apart without naming them.

    at: seconds since 1970 when it ended; seconds: from start to end; outcome: "done", "cancelled", or
    the name of the error.
    """

    job: str
    session: str
    at: float
    seconds: float
    frames: int
    outcome: str


@dataclass(frozen=True)
class EngineState:
    """The engine as last heard of. models: (name, bytes) of each resident model, last used first.

    fault: a sentence when no engine can be started, else empty. restarts: engines replaced since the start.
    """

    ready: bool
    mode: str
    device: str = ""
    device_name: str = ""
    pid: int = 0
    torch: str = ""
    threads: int = 0
    models: tuple[tuple[str, int], ...] = ()
    budget_bytes: int = 0
    running: int = 0
    queued: int = 0
    restarts: int = 0
    fault: str = ""
    recent: tuple[RunRecord, ...] = ()
