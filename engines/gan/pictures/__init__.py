"""A GAN of pictures: what may be asked of it, and what comes back.

The game of Goodfellow et al. (2014, arXiv:1406.2661) played by two small convolutional networks (DCGAN, Radford et
al. 2015, arXiv:1511.06434) that are told the class. Cheap to import: numpy only. The rules are in `rules`, the
networks in `networks`, the game in `game`, training while somebody watches in `live`, the bundled stages in `stages`,
what else may be asked in `jobs`.

Pictures are uint8 (N, 32, 32, C), C = 1 (those of 28 x 28 in the middle of black) or 3 (emoji, halved). A verdict is
what D says of a picture: a probability that it is real for the losses "minimax" and "non-saturating", else a score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from engines import data
from engines.checks import between, one_of, whole
from engines.gan.pictures.rules import Moment, Rules
from engines.runtime import BadInput, Job, ModelFault, ModelRef, models

LOADER = "engines.gan.pictures.stages:load"
JUDGE = "engines.diffusion.classifier:load"
MODELS = {"mnist": "gan-mnist", "fashion": "gan-fashion", "emoji": "gan-emoji"}
STAGES = (0, 200, 1000, 5000, 20_000)    # steps of the bundled runs at which both networks were kept
SIDE = 32
MAX_STEPS = 1_000_000                    # more than a day; a run ends by its deadline before
MAX_PICTURES = 1024                      # in one request: 3 MB on the wire in colour
MAX_GRID = 32                            # pictures along a side of a walk
MAX_Z = 1e3                              # beyond it every generator here is saturated
PER_CLASS = {"mnist": 6, "fashion": 6, "emoji": 8}       # pictures of each class that a training shows

Array = np.ndarray


# --- training, watched -------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Train:
    """Train on the bundled pictures of `dataset`, live: from nothing, from a stage of a model, or from a moment.

    model, stage: a bundled or kept model of the same data and the stage to begin at ("" for none). start: a moment to
    go on from, before which model and stage do not count. until: the step at which to stop. every: steps between two
    looks; 0: two or three looks a second. measure_every, keep_every: least steps between two measures and between two
    moments; 0 for none. Given to a run's `update`: new rules take effect at once, `until` and the numbers beside it
    too, and finish ends the run as if `until` had been reached.
    """

    dataset: Literal["mnist", "fashion", "emoji"] = "mnist"
    rules: Rules = Rules()
    seed: int = 0
    until: int = MAX_STEPS
    model: str = ""
    stage: int = 0
    start: Moment | None = None
    every: int = 0
    measure_every: int = 100
    keep_every: int = 100
    finish: bool = False

    def __post_init__(self) -> None:
        one_of("the data set", self.dataset, data.DATASETS)
        whole("the seed", self.seed, 0, 2**31 - 1)
        whole("the last step", self.until, 0, MAX_STEPS)
        whole("the stage", self.stage, 0, MAX_STEPS)
        for what, value in (("looks", self.every), ("measures", self.measure_every), ("moments", self.keep_every)):
            whole(f"the steps between two {what}", value, 0, MAX_STEPS)
        if self.start is not None and self.start.dataset != self.dataset:
            raise BadInput(f"the run to go on from learned {self.start.dataset}, not {self.dataset}: choose that.")


@dataclass(frozen=True)
class Measures:
    """How good a crowd of made pictures is, held against as many real ones that were not learned from.

    space: what is measured in: the features of our own "classifier", or "colours" (means of 4 x 4 pixels) where no
    classifier knows such pictures. frechet: distance between both crowds (Heusel et al. 2017, arXiv:1706.08500).
    precision, recall: share of the made ones among the real, of the real ones among the made (Kynkäänniemi et al.
    2019, arXiv:1904.06991). recognised: share that is taken for the class that was asked for; share: of each class
    among them. nan and () where there is no classifier. floor: the Fréchet distance of as many other real pictures, which
    few pictures never reach 0 by; nan where it was not taken.
    """

    step: int
    samples: int
    space: str
    frechet: float
    precision: float
    recall: float
    recognised: float
    share: tuple[float, ...]
    floor: float = float("nan")


CURVE = ("step", "loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g")


@dataclass(frozen=True)
class Look:
    """The game at one moment.

    seconds: of training, in this run's own steps. loss_d, loss_g, d_real, d_fake (means of the verdicts in D's step),
    norm_d, norm_g (of the gradients): of the last step, nan before the first. curve: float32 (n, 7), the same of the
    last steps, n up to 100, columns as CURVE: looks overlap, so that one that was not painted is no loss. images:
    uint8 (N, 32, 32, C), always from the same z; labels: uint8 (N,), what was asked for; verdicts: float32 (N,), D's;
    real_verdicts: float32 (N,), D's of `real_pictures`. measures: at some looks. changed: names of the rules that
    changed since the last look. broken: a sentence, where a number of the game is no longer one; then the run ends,
    and `moment` is the last good one. moment: None at most looks. model: at the last look, "trained/<token>".
    """

    step: int
    seconds: float
    loss_d: float
    loss_g: float
    d_real: float
    d_fake: float
    norm_d: float
    norm_g: float
    curve: Array
    images: Array
    labels: Array
    verdicts: Array
    real_verdicts: Array
    measures: Measures | None = None
    changed: tuple[str, ...] = ()
    broken: str = ""
    moment: Moment | None = None
    model: str = ""


# --- one model, as it was at a stage -----------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Asked:
    """model, stage: a bundled or kept model, and one of its stages. moment: networks of a run, instead of these."""

    model: str = ""
    stage: int = 20_000
    moment: Moment | None = None

    def __post_init__(self) -> None:
        whole("the stage", self.stage, 0, MAX_STEPS)
        if not self.model and self.moment is None:
            raise BadInput("no model was named: choose one of " + ", ".join(MODELS.values()) + ".")


@dataclass(frozen=True, eq=False)
class Sample(_Asked):
    """Make a picture for each label. z: float32 (N, z_dim), or empty to draw it from the seed."""

    labels: tuple[int, ...] = (0,)
    seed: int = 0
    z: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("the number of pictures", len(self.labels), 1, MAX_PICTURES)
        whole("the seed", self.seed, 0, 2**31 - 1)
        for label in self.labels:
            whole("the class", label, 0, 1000)
        if not isinstance(self.z, np.ndarray) or self.z.dtype != np.float32 or self.z.ndim != 2:
            raise BadInput("z must be float32 (N, z_dim), one row for each picture: give it in that shape.")
        if len(self.z) not in (0, len(self.labels)):
            raise BadInput(f"{len(self.z)} points z were given for {len(self.labels)} pictures: give one for each.")
        if not (np.abs(self.z) <= MAX_Z).all():
            raise BadInput(f"z holds a number that is not within ±{MAX_Z:g}: choose a point nearer to the origin.")


@dataclass(frozen=True)
class Samples:
    """images: uint8 (N, 32, 32, C). z: float32 (N, z_dim). verdicts: float32 (N,), D's of the same stage."""

    images: Array
    z: Array
    verdicts: Array


@dataclass(frozen=True, eq=False)
class Walk(_Asked):
    """A sheet of pictures of one class, over a plane of the latent space.

    The plane is spanned by two directions at right angles, drawn from the two seeds, each as long as z usually is.
    The point in row r and column c is origin + x first + y second, x from -extent to extent from left to right, y
    from extent to -extent from top to bottom. origin: float32 (z_dim,), or empty for zero.
    """

    label: int = 0
    seeds: tuple[int, int] = (0, 1)
    rows: int = 12
    columns: int = 12
    extent: float = 1.5
    origin: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("the class", self.label, 0, 1000)
        if len(self.seeds) != 2:
            raise BadInput(f"{len(self.seeds)} seeds were given; a plane has two directions: give a seed for each.")
        for seed in self.seeds:
            whole("the seed", seed, 0, 2**31 - 1)
        whole("rows", self.rows, 2, MAX_GRID)
        whole("columns", self.columns, 2, MAX_GRID)
        between("the extent", self.extent, 0.01, 10.0)
        if not isinstance(self.origin, np.ndarray) or self.origin.dtype != np.float32 or self.origin.ndim != 1:
            raise BadInput("the origin must be float32 (z_dim,): give it in that shape.")
        if not (np.abs(self.origin) <= MAX_Z).all():
            raise BadInput(f"the origin holds a number that is not within ±{MAX_Z:g}: choose a nearer point.")


@dataclass(frozen=True)
class Walked:
    """images: uint8 (rows, columns, 32, 32, C). z: float32 (rows, columns, z_dim)."""

    images: Array
    z: Array


@dataclass(frozen=True, eq=False)
class Judge(_Asked):
    """What D says of pictures, uint8 (N, 32, 32, C), taken for the classes `labels`, one for each."""

    pictures: Array = field(default_factory=lambda: np.zeros((0, SIDE, SIDE, 1), np.uint8))
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        shown = self.pictures
        if not isinstance(shown, np.ndarray) or shown.dtype != np.uint8 or shown.ndim != 4 or \
                shown.shape[1:3] != (SIDE, SIDE) or shown.shape[3] not in (1, 3):
            raise BadInput(f"pictures must be bytes of shape (N, {SIDE}, {SIDE}, 1 or 3): scale them first.")
        whole("the number of pictures", len(shown), 1, MAX_PICTURES)
        if len(self.labels) != len(shown):
            raise BadInput(f"{len(self.labels)} classes were given for {len(shown)} pictures: give one for each.")
        for label in self.labels:
            whole("the class", label, 0, 1000)


@dataclass(frozen=True)
class Verdicts:
    """verdicts, logits: float32 (N,)."""

    verdicts: Array
    logits: Array


@dataclass(frozen=True, eq=False)
class Export(_Asked):
    """Both networks as a file to take away."""


@dataclass(frozen=True)
class Exported:
    """name: of the file. content: its bytes, in safetensors' format: g.* and d.*, fp32, the facts in its metadata."""

    name: str
    content: bytes


# --- what is known without a network -----------------------------------------------------------------------------

def real_pictures(dataset: str) -> tuple[Array, Array]:
    """The real pictures whose verdicts a training shows, uint8 (N, 32, 32, C), and their labels, uint8 (N,)."""
    images, labels = learned_from(dataset)
    chosen = np.stack([np.flatnonzero(labels == label)[:PER_CLASS[dataset]] for label in np.unique(labels)], 1)
    return images[chosen.reshape(-1)], labels[chosen.reshape(-1)]        # (per class, classes) -> (N,)


@lru_cache(maxsize=6)
def learned_from(dataset: str, split: str = "train") -> tuple[Array, Array]:
    """The bundled pictures, uint8 (N, 32, 32, C), read-only, and their labels, uint8 (N,)."""
    pictures = data.load(dataset, "test" if dataset == "emoji" else split)
    images = (halved if dataset == "emoji" else data.padded)(pictures.images)
    images.setflags(write=False)
    return images, pictures.labels


def halved(images: Array) -> Array:
    """uint8 (N, 2h, 2w, C) averaged over squares of 2 x 2, (N, h, w, C)."""
    corners = [images[:, row::2, column::2].astype(np.uint16) for row in (0, 1) for column in (0, 1)]
    return np.rint(sum(corners) / np.float32(4)).astype(np.uint8)


def recommended(dataset: str) -> Rules:
    """The rules that the bundled model of these pictures was trained by."""
    return Rules(r1=1.0, augment=True) if dataset == "emoji" else Rules()


def about(model: str) -> dict:
    """The config.json of a model: dataset, classes, stages, rules, what was measured. Raises BadInput, ModelFault."""
    place = models.folder(model)
    try:
        config = json.loads((place / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ModelFault(f"{models.shown(place)}/config.json cannot be read: fetch the model's folder again.") from None
    if config.get("family") != "gan":
        raise BadInput(f"{model[:40]!r} is no GAN: choose one of {', '.join(MODELS.values())}.")
    return config


def _model(params: _Asked) -> tuple[ModelRef, ...]:
    return () if params.moment is not None else (ModelRef(params.model, LOADER),)


def _training(params: Train) -> tuple[ModelRef, ...]:
    judge = () if params.dataset == "emoji" else (ModelRef(f"classifier-{params.dataset}", JUDGE),)
    begin = (ModelRef(params.model, LOADER),) if params.model and params.start is None else ()
    return judge + begin


train = Job("engines.gan.pictures.live:train", params=Train, frame=Look, models=_training, mode="training",
            outbox="latest", deadline_s=7200.0, memory_mb=128)
sample = Job("engines.gan.pictures.jobs:sample", params=Sample, frame=Samples, models=_model)
walk = Job("engines.gan.pictures.jobs:walk", params=Walk, frame=Walked, models=_model)
judge = Job("engines.gan.pictures.jobs:judge", params=Judge, frame=Verdicts, models=_model)
export = Job("engines.gan.pictures.jobs:export", params=Export, frame=Exported, models=_model)
