"""A game on its way to a page: one POST, answered by a stream that lives exactly as long as the page reads it.

When the tab closes, the stream ends and the run with it; its film stays for an hour. While it runs, small requests beside
it change the rules or stop it where it is.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from apps.gan_trainer import points, rules, wire
from apps.gan_trainer.films import Film, Kept, films
from apps.gan_trainer.tables import Table
from engines import runtime
from engines.checks import whole
from engines.gan import plane
from engines.gan.diagnosis import WINDOW, Diagnosis, diagnose
from engines.runtime import BadInput
from gallery import streams
from gallery.asked import read_body, session

SCREEN_HZ = 60                   # of most screens: no page paints more
FRAMES_A_SECOND = 40             # looks that are sent at a set pace, so that a page can paint thirty and more
FASTEST = 3000                   # steps a second that can be asked for; beyond it a game runs as fast as it can
DIAGNOSIS_EVERY_S = 0.7          # as often as one can read what it says
SEEN_APART_S = 0.06              # between two looks that it is made of, so that it judges two thirds of a second


def steered(asked: Mapping[str, Any], params: plane.Play) -> plane.Play:
    """Other rules, another end, or `stop`, in what a game was asked. Raises BadInput."""
    wanted = replace(params, start=None)
    if "rules" in asked:
        wanted = replace(wanted, rules=rules.read(asked["rules"], wanted.rules))
    if "until" in asked:
        whole("the last step", asked["until"], 0, plane.MAX_ROUNDS)
        wanted = replace(wanted, until=asked["until"])
    return replace(wanted, until=0) if asked.get("stop") else wanted


@cache
def table() -> Table:
    """That of this process."""
    return Table()


# --- where a game begins ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Order:
    """What a page wants to be played. name: of the film it goes onto; pace: steps a second, 0 as fast as it can."""

    name: str
    film: Film
    params: plane.Play
    pace: int
    session: str


def _number(asked: Mapping[str, Any], name: str, fallback: int, high: int) -> int:
    value = asked.get(name, fallback)
    whole(f"the {name}", value, 0, high)
    return int(value)


async def order(asked: Mapping[str, Any]) -> Order:
    """Read a request: a new game, or a film and the step to go on from. Raises BadInput, Gone.

    Going on from an earlier step is another future: it gets a film of its own, the same up to there.
    """
    who, visitor = str(asked.get("who", "both")), session(asked)
    until, pace = _number(asked, "until", 5000, plane.MAX_ROUNDS), _number(asked, "pace", 0, 10**6)
    name, start = str(asked.get("film") or "")[:40], None
    if name:
        film = films().get(name)
        if film.kept:
            step = _number(asked, "step", film.newest.step, plane.MAX_ROUNDS)
            start = await at(film, step, visitor)
            if step < film.newest.step:
                film = film.branch(step)
                name = films().add(film)
    else:
        film = Film(points.shape(asked), _number(asked, "seed", 0, 2**31 - 1))
        name = films().add(film)
    wanted = rules.read(asked.get("rules", {}), start.rules if start else rules.DEFAULT)
    every = _every(pace) if pace and pace <= FASTEST else 0
    return Order(name, film, plane.Play(film.shape, wanted, film.seed, until, who, every, start), pace, visitor)


def _every(pace: int) -> int:
    """Rounds between two looks, so that `pace` rounds a second are about FRAMES_A_SECOND looks, and not fewer."""
    return max(1, pace // FRAMES_A_SECOND)


async def at(film: Film, step: int, visitor: str) -> plane.Moment:
    """The moment of a film at a step: kept, or played once more from the last one that is."""
    kept = film.before(step)
    if kept.step == step:
        return kept.moment
    again = plane.Play(film.shape, kept.moment.rules, film.seed, step, kept.who, 0, kept.moment)
    look = await runtime.start(plane.play, again, session=visitor).aresult()
    if look.moment is None or look.step != step:
        raise BadInput(f"The game could not be played again up to step {step:,}: choose an earlier moment.")
    return look.moment


class Doctor:
    """Looks at the newest looks of one stream now and then, and says what the game suffers from.

    What it has said stands until it has seen nothing of it twice: a sentence that comes and goes cannot be read.
    """

    def __init__(self) -> None:
        self.looks: deque[plane.Look] = deque(maxlen=WINDOW)
        self.all: deque[plane.Look] = deque(maxlen=WINDOW)
        self.rules = rules.DEFAULT
        self.asked = self.seen = 0.0
        self.found: Diagnosis | None = None
        self.doubted = False

    def see(self, look: plane.Look, played: plane.Rules, now: float) -> None:
        if look.changed:
            self.looks.clear()               # what was seen under other rules says nothing about these
            self.all.clear()
            self.found = None
        self.all.append(look)
        if now - self.seen >= SEEN_APART_S:
            self.looks.append(look)
            self.seen = now
        self.rules = played

    def due(self, now: float) -> bool:
        if now - self.asked < DIAGNOSIS_EVERY_S:
            return False
        self.asked = now
        return True

    def says(self, last: bool = False) -> dict[str, Any]:
        """{} where there is nothing to say. last: the game is over; a short one has fewer looks than can be spaced."""
        found = self._judged(self.looks)
        if found is None and last:
            found = self._judged(self.all)
        self.doubted = found is None and self.found is not None and not self.doubted
        if not self.doubted:
            self.found = found
        return rules.advice(self.found)

    def _judged(self, looks: deque[plane.Look]) -> Diagnosis | None:
        return diagnose([look.step for look in looks], [look.measures for look in looks], self.rules)


# --- the stream ---------------------------------------------------------------------------------------------------

async def records(game: Order, run: Any) -> AsyncIterator[bytes]:
    """The looks as bytes, and the run's status while it waits; moments go onto the film."""
    start, doctor = game.params.start, Doctor()
    loop, first, due = asyncio.get_running_loop(), True, 0.0
    pause = _every(game.pace) / game.pace if game.params.every else 0.0
    with table().playing(game.name, run, game.params) as live:
        yield streams.told("run", film=game.name, start=start.step if start else 0, rules=rules.told(game.params.rules))
        async for frame in streams.arriving(run):
            if frame is None:
                yield streams.waiting(run)
                continue
            record = wire.look(frame, live.params.rules)
            marked, first = first or bool(frame.changed), False
            game.film.see(frame.step, record, marked)
            if frame.moment is not None:
                game.film.put(Kept(frame.moment, game.params.who, marked))
            yield record
            doctor.see(frame, live.params.rules, loop.time())
            if doctor.due(loop.time()):
                yield game.film.say(frame.step, doctor.says())
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + pause, loop.time() - pause) if pause else loop.time() + 1 / SCREEN_HZ
        yield game.film.say(game.film.last, doctor.says(last=True))


def begun(game: Order) -> StreamingResponse:
    """Start what was asked for. Raises VisitorError."""
    run = runtime.start(plane.play, game.params, session=game.session)
    return streams.sent(run, streams.to_the_end(
        records(game, run), lambda: {"step": game.film.newest.step if game.film.kept else 0}, "Press play to go on."))


# --- one round, taken apart ---------------------------------------------------------------------------------------

async def one_round(asked: Mapping[str, Any]) -> bytes:
    """A round from a step of a film, as a row of records: what happened in it, then the look after it."""
    game = await order({**asked, "pace": 0})
    frame = await runtime.start(plane.anatomy, game.params, session=game.session).aresult()
    record = wire.look(frame.look, game.params.rules)
    if frame.look.moment is not None:
        if game.params.start is not None:
            game.film.turn(game.params.who)
        game.film.see(frame.look.step, record, True)
        game.film.put(Kept(frame.look.moment, game.params.who, True))
    return wire.anatomy(frame, game.params.rules.loss, game.name) + record


# --- routes -------------------------------------------------------------------------------------------------------

def saved(film: Film, moment: plane.Moment) -> bytes:
    """Both networks of a moment as safetensors: "g.0.weight" (in, out), "g.0.bias" (out,), and so on; rules in its head."""
    from safetensors.numpy import save

    rule, tensors = moment.rules, {}
    for who, row, sizes in (("g", moment.g, (rule.z_dim, *rule.g_layers, 2)), ("d", moment.d, (2, *rule.d_layers, 1))):
        at = 0
        for place, (into, out) in enumerate(zip(sizes, sizes[1:])):
            tensors[f"{who}.{place}.weight"] = row[at:at + into * out].reshape(into, out)
            tensors[f"{who}.{place}.bias"] = row[at + into * out:at + (into + 1) * out]
            at += (into + 1) * out
    about = {**rules.told(rule), "data": film.shape.kind, "seed": film.seed, "step": moment.step}
    return save(tensors, {name: json.dumps(value) for name, value in about.items()})


def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = APIRouter(prefix="/plane")

    @router.post("/play")
    async def _play(request: Request) -> Response:
        return begun(await order(await read_body(request)))

    @router.post("/round")
    async def _round(request: Request) -> Response:
        return Response(await one_round(await read_body(request)), media_type=streams.BINARY)

    @router.post("/steer")
    async def _steer(request: Request) -> Response:
        asked = await read_body(request)
        return JSONResponse({"ok": table().steer(str(asked.get("film", ""))[:40], partial(steered, asked))})

    @router.get("/film/{name}")
    def _film(name: str) -> Response:
        film = films().get(name[:40])
        return Response(streams.told("film", film=name, seed=film.seed, data=film.shape.kind,
                                  rules=rules.told(film.newest.moment.rules) if film.kept else None, sayings=film.sayings,
                                  live=name in table().live) + film.told(), media_type=streams.BINARY,
                        headers={"Cache-Control": "no-store"})

    @router.get("/film/{name}/weights")
    async def _weights(name: str, step: int, session: str = "") -> Response:
        film = films().get(name[:40])
        whole("the step", step, 0, film.last)
        moment = await at(film, step, session[:64] or "visitor")
        return Response(await asyncio.to_thread(saved, film, moment), media_type=streams.BINARY)

    @router.post("/data")
    async def _data(request: Request) -> Response:
        asked = await read_body(request)
        shape = films().get(str(asked["film"])[:40]).shape if asked.get("film") else points.shape(asked)
        found = await runtime.start(plane.real, shape, session=session(asked)).aresult()
        return Response(wire.real(found), media_type=streams.BINARY)

    @router.post("/csv")
    async def _csv(request: Request) -> JSONResponse:
        found, said = await asyncio.to_thread(points.table, await request.body())
        return JSONResponse({"points": found.round(6).tolist(), "said": said})

    return router
