"""What the hub keeps of a game of pictures: looks to go back through, and moments to go on from, within a fixed memory.

A moment holds both networks and what their optimisers remember, 3.4 MB, and a look is 50 to 200 kB: so there are fewer
moments than looks, and a game goes on from the last moment before the step that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

from apps.gan_trainer.films import Films, Reel, last_before, put, until, weight
from engines.gan.pictures.rules import Moment

MB = 2**20
MOMENT_BYTES = 24 * MB               # of one film: seven moments
LOOK_BYTES = 5 * MB                  # a hundred looks at digits, twenty-five at emoji
ALL_BYTES = 192 * MB                 # of a hub's memory: six full films; two cores train no more at once


@dataclass(frozen=True)
class Kept:
    """A moment of a film. marked: stays when others go, for a rule changed there."""

    moment: Moment
    marked: bool = False

    @property
    def step(self) -> int:
        return self.moment.step

    @property
    def bytes(self) -> int:
        return weight(self.moment)


@dataclass
class PictureFilm(Reel):
    """One game. stage: steps that the bundled networks had learned where it began, None from scratch. moments: by step,
    ascending."""

    look_bytes: ClassVar[int] = LOOK_BYTES
    dataset: str
    seed: int
    stage: int | None = None
    moments: list[Kept] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in (*self.moments, *self.looks))

    @property
    def steps(self) -> list[int]:
        """Those that can be gone on from."""
        return [each.step for each in self.moments]

    def keep(self, moment: Moment, marked: bool) -> None:
        put(self.moments, Kept(moment, marked), MOMENT_BYTES)

    def before(self, step: int) -> Kept:
        """The last moment that is not later. Raises Gone for an empty film."""
        return last_before(self.moments, step)

    def branch(self, step: int) -> PictureFilm:
        """A film of its own, the same up to there."""
        return PictureFilm(self.dataset, self.seed, self.stage, until(self.moments, step), **self.past(step))


@cache
def films() -> Films:
    """Those of this process."""
    return Films(ALL_BYTES)
