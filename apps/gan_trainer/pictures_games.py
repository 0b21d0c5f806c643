"""A game of pictures on its way to a page: one POST, answered by a stream that lives exactly as long as the page reads it.

When the tab closes, the stream ends and the run with it; its film stays for an hour. While it runs, small requests beside
it change the rules or stop it where it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fastapi.responses import StreamingResponse

from apps.gan_trainer import pictures_rules, rules
from apps.gan_trainer import pictures_stages as stages
from apps.gan_trainer import pictures_wire as wire
from apps.gan_trainer.pictures_films import PictureFilm, films
from apps.gan_trainer.tables import Table
from engines import runtime
from engines.checks import whole
from engines.gan import pictures
from engines.gan.diagnosis import diagnose_pictures
from engines.runtime import BadInput
from gallery import streams
from gallery.asked import session

MEASURE_EVERY = 100              # steps: a measure takes as long as three of them
KEEP_EVERY = 50                  # steps between two moments: so many are lost at most when an engine dies


def steered(asked: Mapping[str, Any], params: pictures.Train) -> pictures.Train:
    """Other rules, another end, or `stop`, in what a game was asked. Raises BadInput."""
    wanted = replace(params, start=None)
    if "rules" in asked:
        wanted = replace(wanted, rules=rules.read(asked["rules"], wanted.rules))
    if "until" in asked:
        wanted = replace(wanted, until=_until(asked))
    return replace(wanted, finish=bool(asked.get("stop")))


@cache
def table() -> Table:
    """That of this process."""
    return Table()


# --- where a game begins ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Order:
    """What a page wants to be played. name: of the film it goes onto; first: only how it begins. again: what is played
    once more before, from a kept moment to the one that was asked for, where that one was not kept."""

    name: str
    film: PictureFilm
    params: pictures.Train
    first: bool
    session: str
    again: pictures.Train | None = None


def _until(asked: Mapping[str, Any]) -> int:
    value = pictures.MAX_STEPS if asked.get("until") is None else asked["until"]
    whole("the last step", value, 0, pictures.MAX_STEPS)
    return int(value)


def order(asked: Mapping[str, Any]) -> Order:
    """Read a request: a new game from scratch or from a stage, or a film and the step to go on from. Raises BadInput, Gone.

    Going on from an earlier step is another future: it gets a film of its own, the same up to there.
    """
    name = str(asked.get("film") or "")[:40]
    film = films().get(name) if name else PictureFilm(stages.dataset(asked), stages.seed(asked), stages.stage(asked))
    start = until = None
    if film.moments:
        newest = max(film.looks[-1].step, film.moments[-1].step)
        step = stages.step(asked, newest)
        start = film.before(step).moment
        if step < newest:
            film = film.branch(step)
            name = films().add(film)
            until = step if start.step < step else None
    elif not name:
        name = films().add(film)
    base = start.rules if start else pictures_rules.recommended(film.dataset)
    model = "" if film.stage is None else stages.model(film.dataset, film.stage)
    params = pictures.Train(film.dataset, rules.read(asked.get("rules", {}), base), film.seed, _until(asked), model,
                            film.stage or 0, start, 0, MEASURE_EVERY, KEEP_EVERY)
    again = replace(params, rules=base, until=until, measure_every=0, keep_every=0) if until is not None else None
    return Order(name, film, params, asked.get("first") is True, session(asked), again)


# --- the stream ---------------------------------------------------------------------------------------------------

def begun(game: Order) -> StreamingResponse:
    """Start what was asked for. Raises VisitorError."""
    run = runtime.start(pictures.train, game.again or game.params, session=game.session)
    return streams.sent(run, streams.to_the_end(
        (after_again if game.again else records)(game, run), lambda: {"step": game.film.moments[-1].step if game.film.moments else 0}, "Press play to go on."))


async def after_again(game: Order, run: Any) -> AsyncIterator[bytes]:
    """What lies between a kept moment and the one that was asked for, told as it is played once more; then the game."""
    frame = None
    async for frame in streams.arriving(run):
        yield streams.waiting(run) if frame is None else streams.told("again", step=frame.step, until=game.again.until)
    if frame is None or frame.moment is None or frame.moment.step != game.again.until:
        raise BadInput(f"The training could not be played again up to step {game.again.until:,}: choose another moment.")
    params = replace(game.params, start=frame.moment)
    following = runtime.start(pictures.train, params, session=game.session)
    try:
        async with aclosing(records(replace(game, params=params), following)) as each:
            async for one in each:
                yield one
    finally:
        following.cancel()


async def records(game: Order, run: Any) -> AsyncIterator[bytes]:
    """The looks as bytes, and the run's status while it waits; looks and moments go onto the film."""
    start = game.params.start.step if game.params.start else game.film.stage or 0
    measured: list[pictures.Measures] = []
    with table().playing(game.name, run, game.params) as live:
        yield streams.told("run", film=game.name, start=start, rules=rules.told(game.params.rules), stage=game.film.stage)
        async for frame in streams.arriving(run):
            if frame is None:
                yield streams.waiting(run)
                continue
            yield _kept(game.film, frame, live.params.rules.loss)
            if frame.moment is not None:
                yield streams.told("kept", steps=game.film.steps)
            measured = [] if frame.changed else measured          # what was reached by other rules is no measure of these
            measured += [frame.measures] if frame.measures else []
            yield game.film.say(frame.step, rules.advice(diagnose_pictures(frame.curve, measured, live.params.rules)))
            if game.first:
                return


def _kept(film: PictureFilm, frame: pictures.Look, loss: str) -> bytes:
    """A look as its record; what can be kept of it goes onto the film."""
    record, first = wire.look(frame, loss), not film.looks
    film.see(frame.step, record, first or bool(frame.changed))
    if frame.moment is not None:                 # of a game that broke it is the last good one
        film.keep(frame.moment, first or bool(frame.changed))
    return record


def reopened(name: str) -> bytes:
    """A film as what is told of it, and its looks, oldest first. Raises Gone."""
    film = films().get(name)
    about = rules.told(film.moments[-1].moment.rules) if film.moments else None
    return streams.told("film", film=name, set=film.dataset, seed=film.seed, stage=film.stage, rules=about, kept=film.steps,
                        sayings=film.sayings, live=name in table().live) + film.told()
