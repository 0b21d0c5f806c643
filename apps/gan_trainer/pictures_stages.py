"""What can be asked of networks that are there: those of a bundled stage, or of a moment of a game.

Each answer says where its networks come from by the step that they had learned.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from apps.gan_trainer import pictures_rules, rules
from apps.gan_trainer import pictures_wire as wire
from apps.gan_trainer.pictures_films import films
from engines import data, diffusion, runtime
from engines.checks import one_of, whole
from engines.gan import pictures
from engines.runtime import BadInput, VisitorError, models
from gallery.asked import session

SCRATCH = "scratch"
WORDS = {"mnist": "the digits", "fashion": "the clothes", "emoji": "the emoji"}
MAX_SAMPLES = 96                     # of one class: more are too small to be seen
ROWS, COLUMNS, EXTENT = 9, 15, 1.5   # of a walk: as wide as the place it is shown in
REMEMBERED = 8                       # answers: thirty who open the same page ask the networks once; 1 MB each at most


# --- what a page asks for -----------------------------------------------------------------------------------------

def dataset(asked: Mapping[str, Any]) -> str:
    name = str(asked.get("set", "mnist"))
    one_of("the set of pictures", name, data.DATASETS)
    return name


def stage(asked: Mapping[str, Any]) -> int | None:
    """The bundled stage, None for none."""
    wanted = str(asked.get("stage", SCRATCH))
    one_of("the stage", wanted, (SCRATCH, *map(str, pictures.STAGES)))
    return None if wanted == SCRATCH else int(wanted)


def step(asked: Mapping[str, Any], fallback: int) -> int:
    value = asked.get("step", fallback)
    whole("the step", value, 0, pictures.MAX_STEPS)
    return int(value)


def seed(asked: Mapping[str, Any]) -> int:
    return number(asked, "seed", 0, 0, 2**31 - 1)


def number(asked: Mapping[str, Any], name: str, fallback: int, low: int, high: int) -> int:
    value = asked.get(name, fallback)
    whole(f"the {name}", value, low, high)
    return int(value)


def model(dataset: str, stage: int | None = None) -> str:
    """The name of the bundled model. Raises BadInput where it is not here, ModelFault where it cannot be read."""
    name = pictures.MODELS[dataset]
    if name not in models.names():
        raise BadInput(f"The stages of {WORDS[dataset]} are not installed here: train from scratch instead.")
    kept = pictures.about(name)["stages"]
    if stage is not None and stage not in kept:
        raise BadInput(f"The stage after {stage:,} steps is not here; there are {', '.join(map(str, kept))}: "
                       "choose one of these.")
    return name


@dataclass(frozen=True)
class Whose:
    """Networks: keywords of the engine's parameters, the step that they had learned, and of which set."""

    given: dict[str, Any]
    step: int
    dataset: str


def whose(asked: Mapping[str, Any]) -> Whose:
    """{film, step} or {set, stage} -> its networks. Raises BadInput, Gone."""
    if asked.get("film"):
        film = films().get(str(asked["film"])[:40])
        kept = film.before(step(asked, pictures.MAX_STEPS))
        return Whose({"moment": kept.moment}, kept.step, film.dataset)
    chosen = stage(asked)
    if chosen is None:
        raise BadInput("There are no networks yet: press play, or choose a stage.")
    name = dataset(asked)
    return Whose({"model": model(name, chosen), "stage": chosen}, chosen, name)


# --- what is known of a set ---------------------------------------------------------------------------------------

def about(name: str) -> dict[str, Any]:
    """Its classes, the stages that are here, or why there are none, and the recommended rules."""
    facts, why, config = data.about(name), "", {}
    try:
        config = pictures.about(model(name))
    except VisitorError as fault:
        why = str(fault)
    return {"set": name, "title": facts["title"], "classes": facts["classes"], "stages": config.get("stages", []), "why": why,
            "rules": rules.told(pictures_rules.recommended(name)), "seed": config.get("seed"), "steps": config.get("steps"),
            "seconds": config.get("seconds")}


@cache
def real(name: str) -> tuple[np.ndarray, np.ndarray]:
    return pictures.real_pictures(name)


def opened(name: str) -> bytes:
    """What is known of a set, and its real pictures, as one record."""
    images, labels = real(name)
    return wire.record({**about(name), "labels": labels.tolist()}, images)


# --- the networks are asked ---------------------------------------------------------------------------------------

@dataclass
class Answers:
    """The newest few answers that would come out the same again."""

    held: OrderedDict[Any, bytes] = field(default_factory=OrderedDict)

    def put(self, key: Any, answer: bytes) -> bytes:
        self.held[key] = answer
        while len(self.held) > REMEMBERED:
            self.held.popitem(last=False)
        return answer


@cache
def answers() -> Answers:
    """Those of this process."""
    return Answers()


async def all_stages(asked: Mapping[str, Any]) -> bytes:
    """How the fixed pictures look at every bundled stage, and what D of that stage says of them: a row of looks."""
    name, chosen = dataset(asked), seed(asked)
    known = model(name)
    config = pictures.about(known)
    key = (name, chosen, (models.folder(known) / "config.json").stat().st_mtime_ns)
    if key not in answers().held:
        looks = [_stage_look(known, each, name, chosen, config, session(asked)) for each in config["stages"]]
        answers().put(key, b"".join(await asyncio.gather(*looks)))
    return answers().held[key]


async def _stage_look(known: str, at: int, name: str, chosen: int, config: Mapping[str, Any], visitor: str) -> bytes:
    images, labels = real(name)
    asked = tuple(labels.tolist())
    made = runtime.start(pictures.sample, pictures.Sample(known, at, None, asked, chosen), session=visitor)
    judged = runtime.start(pictures.judge, pictures.Judge(known, at, None, images, asked), session=visitor)
    samples, verdicts = await made.aresult(), await judged.aresult()
    measured = config.get("measured", {})
    figures = measured.get("stages", {}).get(str(at))
    if at == config.get("steps") and "frechet" in measured:      # the last stage is measured by more pictures
        figures = measured
    return wire.stage(at, config["rules"]["loss"], samples.images, samples.verdicts, verdicts.verdicts, _figures(figures, at))


def _figures(found: Mapping[str, Any] | None, at: int) -> dict[str, Any] | None:
    """Of what the recipe measured, what a look has room for."""
    if not found:
        return None
    names = ("frechet", "precision", "recall", "recognised")
    return {"step": at, **{each: found.get(each) for each in names}, "space": found.get("space", "classifier"),
            "floor": found.get("frechet_floor")}


async def of_class(asked: Mapping[str, Any]) -> bytes:
    """Pictures of one class, with D's verdicts, and what the classifier takes them for, where there is one."""
    networks, label = whose(asked), number(asked, "label", 0, 0, 95)
    count = number(asked, "count", 60, 1, MAX_SAMPLES)
    wanted = pictures.Sample(**networks.given, labels=(label,) * count, seed=seed(asked))
    made = await runtime.start(pictures.sample, wanted, session=session(asked)).aresult()
    taken = await _taken_for(networks.dataset, made.images, session(asked))
    recognised = None if taken is None else float((taken == label).mean())
    return wire.record({"step": networks.step, "label": label, "recognised": recognised,
                        "taken": None if taken is None else taken.tolist()}, made.images, made.verdicts)


async def _taken_for(name: str, images: np.ndarray, visitor: str) -> np.ndarray | None:
    if name == "emoji":
        return None
    try:
        seen = runtime.start(diffusion.judge, diffusion.Judge(f"classifier-{name}", images), session=visitor)
        return (await seen.aresult()).probabilities.argmax(1)
    except VisitorError:                 # the pictures are there; only what they are taken for is not
        return None


async def walked(asked: Mapping[str, Any]) -> bytes:
    """A sheet of pictures of one class over a plane of the latent space."""
    networks, label = whose(asked), number(asked, "label", 0, 0, 95)
    chosen = number(asked, "directions", 0, 0, 2**30 - 1)
    wanted = pictures.Walk(**networks.given, label=label, seeds=(2 * chosen, 2 * chosen + 1), rows=ROWS, columns=COLUMNS,
                           extent=EXTENT)
    found = await runtime.start(pictures.walk, wanted, session=session(asked)).aresult()
    flat = found.images.reshape(-1, *found.images.shape[2:])
    return wire.record({"step": networks.step, "label": label, "rows": ROWS, "columns": COLUMNS, "extent": EXTENT}, flat)


async def exported(asked: Mapping[str, Any]) -> tuple[str, bytes]:
    """Both networks as a file: (name, content)."""
    found = await runtime.start(pictures.export, pictures.Export(**whose(asked).given), session=session(asked)).aresult()
    return found.name, found.content
