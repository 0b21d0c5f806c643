"""Every number that limits a run, with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask at once, and what all of them may.

    A run is parked while frames wait for a reader that is silent: it is not stepped and takes no
    place, and goes on when the reader comes back.
    """

    running_per_session: int = 4      # a page decodes, encodes and trains side by side; a fifth run gains nothing
    queued_per_session: int = 16      # more than anyone waits for: a page in a loop, or a script
    running_in_all: int = 32          # 64 MB of working memory each is 2 GB; joined passes stop gaining at about 16
    queued_in_all: int = 256          # at 10 short runs a second the last one still starts within half a minute
    parked_s: float = 1.5             # silent for this long with a frame unread: parked (page gone within 2 s)
    silent_s: float = 20.0            # parked for this long: ended; a page that draws for longer than this is broken
    paused_s: float = 1800.0          # a paused run keeps its memory: a lesson may pause it, a forgotten page may not
    frozen_s: float = 30.0            # without a word from the engine for this long: it is frozen, and replaced
    starting_s: float = 300.0         # and while it starts: torch from a cold, slow disk says nothing for minutes
    overdue_s: float = 20.0           # seconds a step may outlast its run's deadline: then the engine is replaced
    recent: int = 50                  # runs kept for the lab book
    joined_rows: int = 512            # rows in one joined pass: beyond it a CPU gains nothing and memory grows
