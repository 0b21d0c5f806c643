"""What the hub keeps of a game: looks to go back through and moments to go on from, within a fixed memory.

A film outlives the page and the engine: who comes back to the link within an hour finds it, and a game whose engine died
goes on from its last moment. When a film is full its moments grow sparser; what lies between two is played again.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from engines.gan import plane
from gallery import streams
from gallery.asked import Gone

MB = 2**20
MOMENT_BYTES = 4 * MB                # of one film: 130 moments of the usual networks, 3 of the largest
LOOK_BYTES = 2 * MB                  # of one film: 150 looks
ALL_BYTES = 192 * MB                 # of a hub's memory: thirty full films, a class
MOST_SAYINGS = 300                   # of what a game suffered from: three minutes and a half of play
MOST_FILMS = 500
HOUR_S = 3600.0                      # a link is good for so long after its last use
GONE = ("This game is no longer kept here: it was left more than an hour ago, newer games took its room, or the gallery "
        "was started anew. Play it again from the start: the same seed and rules give the same game.")


# --- rows of what is kept, by step, ascending ---------------------------------------------------------------------

class Held(Protocol):
    """step: of the game. marked: stays when others go, for a rule changed there. bytes: of memory."""

    @property
    def step(self) -> int: ...
    @property
    def marked(self) -> bool: ...
    @property
    def bytes(self) -> int: ...


T = TypeVar("T", bound=Held)


def put(row: list[T], new: T, limit: int) -> None:
    """Add to a row; what is of the same step or later is replaced. Beyond the limit those go that leave the smallest gaps;
    the first, the last and those that are marked stay, unless the marked ones alone would fill it."""
    while row and row[-1].step >= new.step:
        row.pop()
    row.append(new)
    total = sum(each.bytes for each in row)
    while total > limit and len(row) > 3:
        inner = range(1, len(row) - 1)
        free = [at for at in inner if not row[at].marked]
        if 2 * len(free) < len(inner):           # a rule changed at nearly every look
            free = list(inner)
        total -= row.pop(min(free, key=lambda at: row[at + 1].step - row[at - 1].step)).bytes


def until(row: list[T], step: int) -> list[T]:
    return [each for each in row if each.step <= step]


def last_before(row: list[T], step: int) -> T:
    """The last that is not later. Raises Gone for a row that has none."""
    earlier = until(row, step)
    if not earlier:
        raise Gone(GONE)
    return earlier[-1]


def weight(moment: Any) -> int:
    """Bytes of a moment of either game."""
    return sum(each.nbytes for each in (moment.g, moment.d, moment.g_memory, moment.d_memory, moment.extra, moment.random))


# --- films --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Seen:
    """A look of a film, as its record on the wire. marked: stays when others go."""

    step: int
    record: bytes
    marked: bool = False

    @property
    def bytes(self) -> int:
        return len(self.record)


@dataclass(kw_only=True)
class Reel:
    """What is kept of either game beside its moments. looks, sayings: by step, ascending; a saying is what a page was told."""

    look_bytes: ClassVar[int] = LOOK_BYTES
    looks: list[Seen] = field(default_factory=list)
    sayings: list[dict[str, Any]] = field(default_factory=list)
    used: float = field(default_factory=time.monotonic)

    def see(self, step: int, record: bytes, marked: bool) -> None:
        put(self.looks, Seen(step, record, marked), self.look_bytes)

    def say(self, step: int, saying: Mapping[str, Any]) -> bytes:
        """Keep what is said of the game, and give it as a page is told it."""
        self.sayings.append({"step": step, **saying})
        if len(self.sayings) > MOST_SAYINGS:
            del self.sayings[1]
        return streams.told("diagnosis", **self.sayings[-1])

    def past(self, step: int) -> dict[str, Any]:
        """Of another film, the same up to a step."""
        return {"looks": until(self.looks, step), "sayings": [each for each in self.sayings if each["step"] <= step]}

    def told(self) -> bytes:
        """The looks, oldest first."""
        return b"".join(each.record for each in self.looks)


@dataclass(frozen=True)
class Kept:
    """One moment of a film. who: plays from here on. marked: stays when others go."""

    moment: plane.Moment
    who: str = "both"
    marked: bool = False

    @property
    def step(self) -> int:
        return self.moment.step

    @property
    def bytes(self) -> int:
        return weight(self.moment)


@dataclass
class Film(Reel):
    """One game. kept: moments by step, ascending."""

    shape: plane.Shape
    seed: int
    kept: list[Kept] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in (*self.kept, *self.looks))

    @property
    def newest(self) -> Kept:
        return self.kept[-1]

    @property
    def last(self) -> int:
        """The last step that was seen."""
        return max(self.kept[-1].step if self.kept else 0, self.looks[-1].step if self.looks else 0)

    def put(self, kept: Kept) -> None:
        put(self.kept, kept, MOMENT_BYTES)

    def before(self, step: int) -> Kept:
        """The last moment that is not later. Raises Gone for an empty film."""
        return last_before(self.kept, step)

    def branch(self, step: int) -> Film:
        """A film of its own, the same up to there."""
        return Film(self.shape, self.seed, until(self.kept, step), **self.past(step))

    def turn(self, who: str) -> None:
        """Somebody else plays from the newest moment on."""
        if self.kept:
            self.kept[-1] = replace(self.kept[-1], who=who)


class Films:
    """Films by an unguessable name; the one not used for longest goes first, and all that are an hour old."""

    def __init__(self, limit: int = ALL_BYTES) -> None:
        self.limit = limit
        self._held: OrderedDict[str, Film] = OrderedDict()

    def add(self, film: Film) -> str:
        self.tidy()
        name = secrets.token_urlsafe(9)
        self._held[name] = film
        return name

    def get(self, name: str) -> Film:
        """Raises Gone, with what to do."""
        self.tidy()
        if name not in self._held:
            raise Gone(GONE)
        self._held.move_to_end(name)
        self._held[name].used = time.monotonic()
        return self._held[name]

    def tidy(self) -> None:
        old = time.monotonic() - HOUR_S
        while self._held and (len(self._held) >= MOST_FILMS or next(iter(self._held.values())).used < old):
            self._held.popitem(last=False)
        while len(self._held) > 1 and sum(film.bytes for film in self._held.values()) > self.limit:
            self._held.popitem(last=False)

    def __len__(self) -> int:
        return len(self._held)


@cache
def films() -> Films:
    """Those of this process."""
    return Films()
