"""Run jobs: generators of frames, stepped by the one thread that owns torch."""

from __future__ import annotations

from engines.runtime.contract import Forward, Job, ModelRef, forward
from engines.runtime.errors import (BadInput, Busy, Cancelled, EngineLost, JobFailed, ModelFault, OutOfMemory, TimedOut,
                                    VisitorError)

__all__ = ["BadInput", "Busy", "Cancelled", "EngineLost", "Forward", "Job", "JobFailed", "ModelFault", "ModelRef",
           "OutOfMemory", "TimedOut", "VisitorError", "forward"]
