"""What can go wrong, in sentences that a visitor may read.

Every exception below carries one plain sentence. Anything else that is raised
inside a job is logged whole and reaches the visitor as `JobFailed`.
"""

from __future__ import annotations


class VisitorError(Exception):
    """Something a visitor is told. `str(error)` is the whole sentence."""


class BadInput(VisitorError):
    """A parameter is out of range. The sentence names the number, the limit and the remedy."""


class Busy(VisitorError):
    """The limit of runs is reached. The sentence says how many runs are ahead or allowed."""


class ModelFault(VisitorError):
    """A model file is missing, truncated or altered. The sentence names the file."""


class OutOfMemory(VisitorError):
    """The device ran out of memory although idle models were evicted and the batch was halved."""


class TimedOut(VisitorError):
    """The run passed its deadline."""


class EngineLost(VisitorError):
    """The engine process ended while the run was under way; a new one is being started."""


class Cancelled(VisitorError):
    """The run was cancelled before it ended."""


class JobFailed(VisitorError):
    """A defect in a job. The log holds the trace; the sentence holds none of it."""
