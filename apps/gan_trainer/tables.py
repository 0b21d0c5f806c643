"""The games of one kind that are being played right now, by the name of their film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Live:
    """A run under way, and what it was last asked."""

    run: Any
    params: Any


@dataclass
class Table:
    live: dict[str, Live] = field(default_factory=dict)

    @contextmanager
    def playing(self, name: str, run: Any, params: Any) -> Iterator[Live]:
        mine = self.live[name] = Live(run, params)
        try:
            yield mine
        finally:
            if self.live.get(name) is mine:
                del self.live[name]

    def steer(self, name: str, wanted: Callable[[Any], Any]) -> bool:
        """Ask the game for something else, made of what it was asked last. False for one that is not played any more."""
        game = self.live.get(name)
        if game is None:
            return False
        game.params = wanted(game.params)
        game.run.update(game.params)
        return True
