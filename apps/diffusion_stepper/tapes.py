"""What the hub keeps of a run: the states themselves, in full precision, so that one can go on from any step.

The page holds bytes to look at; a bit lost there is a different picture forty steps later. A tape outlives the page's
request and the engine, and is forgotten when newer ones need the room.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from engines import diffusion
from gallery.asked import Gone

MB = 2**20
ALL_BYTES = 256 * MB                 # of a hub's memory; a usual run of 50 steps takes 0.2, the longest for digits 63
TAPE_BYTES = 64 * MB                 # of one: 1000 steps of 16 pictures of 32 x 32 fit whole; larger ones are thinned
MOST_TAPES = 500                     # also those that hold nothing, of runs that failed before their first step
GONE = ("The states of this run are no longer kept here: newer runs took their room, or the gallery was started anew. "
        "Play it again from the start.")


@dataclass
class Tape:
    """One run. params: as it was started. states: step -> float32 (N, C, H, W), every `stride`-th and the last two."""

    params: diffusion.Sample
    states: dict[int, np.ndarray] = field(default_factory=dict)
    stride: int = 1
    newest: int = -1

    @property
    def bytes(self) -> int:
        return len(self.states) * self.states[self.newest].nbytes if self.states else 0

    def put(self, index: int, x: np.ndarray) -> None:
        self.states[index] = x.copy()           # what arrives may be a window on a larger message
        self.newest = index
        stale = index - 2
        if stale % self.stride:
            self.states.pop(stale, None)
        if len(self.states) * x.nbytes > TAPE_BYTES:
            self.stride *= 2
            self.states = {at: state for at, state in self.states.items()
                           if at % self.stride == 0 or at >= index - 1}

    def begin(self, index: int) -> diffusion.Begin:
        """Where to go on so as to pass through `index`: there, or at the last step before it that is kept."""
        at = max((each for each in self.states if each <= index), default=None)
        if at is None:
            raise Gone(GONE)
        before = self.states.get(at - 1)
        return diffusion.Begin(at, self.states[at], *([before] if before is not None else []))


class Tapes:
    """Tapes by an unguessable name; the one not used for longest goes first when they grow beyond the limit."""

    def __init__(self, limit: int = ALL_BYTES) -> None:
        self.limit = limit
        self._held: OrderedDict[str, Tape] = OrderedDict()

    def new(self, params: diffusion.Sample) -> tuple[str, Tape]:
        while len(self._held) >= MOST_TAPES:
            self._held.popitem(last=False)
        name = secrets.token_urlsafe(12)
        self._held[name] = Tape(params)
        return name, self._held[name]

    def get(self, name: str) -> Tape:
        """Raises Gone, with what to do."""
        if name not in self._held:
            raise Gone(GONE)
        self._held.move_to_end(name)
        return self._held[name]

    def put(self, name: str, tape: Tape, index: int, x: np.ndarray) -> None:
        """Add a state, and make room. A tape that was forgotten while its run goes on stays forgotten."""
        tape.put(index, x)
        if name in self._held:
            self._held.move_to_end(name)
        while len(self._held) > 1 and self.bytes > self.limit:
            self._held.popitem(last=False)

    @property
    def bytes(self) -> int:
        return sum(tape.bytes for tape in self._held.values())

    def __len__(self) -> int:
        return len(self._held)


@cache
def tapes() -> Tapes:
    """Those of this process."""
    return Tapes()
