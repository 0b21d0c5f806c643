"""When the next frame of a long job is due."""

from __future__ import annotations

import time

PACE_S = 0.1                 # between two frames: a progress bar needs no more
SHARE = 10                   # a frame that takes long to make waits ten times as long for its turn


class Pace:
    """`if pace.due(): frame = ...; pace.made(); yield frame`: little of the time goes into telling of it."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._next = self._begun + PACE_S

    def due(self) -> bool:
        self._begun = time.monotonic()
        return self._begun >= self._next

    def made(self) -> None:
        now = time.monotonic()
        self._next = now + max(PACE_S, SHARE * (now - self._begun))
