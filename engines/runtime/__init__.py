"""Run jobs: generators of frames, stepped by the one thread that owns torch.

    run = runtime.start(vae.explore, vae.Explore(...), session="...")
    async for frame in run: ...        # or a plain for; run.cancel(), run.pause(), run.update(params), run.status

Importing this imports no torch: the engine does, in its own process or on its own thread.
"""

from __future__ import annotations

from engines.runtime.api import configure, leave, start, state, stop, warm
from engines.runtime.contract import Forward, Job, ModelRef, forward
from engines.runtime.errors import (BadInput, Busy, Cancelled, EngineLost, JobFailed, ModelFault, OutOfMemory, TimedOut,
                                    VisitorError)
from engines.runtime.limits import Limits
from engines.runtime.run import Run
from engines.runtime.status import EngineState, RunRecord, RunStatus

__all__ = ["BadInput", "Busy", "Cancelled", "EngineLost", "EngineState", "Forward", "Job", "JobFailed", "Limits",
           "ModelFault", "ModelRef", "OutOfMemory", "Run", "RunRecord", "RunStatus", "TimedOut", "VisitorError",
           "configure", "forward", "leave", "start", "state", "stop", "warm"]
