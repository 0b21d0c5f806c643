"""Denoising diffusion: what may be asked of it, and what comes back.

Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, arXiv:2006.11239.
Cheap to import: numpy only. The paper is in `engines.diffusion.model`, the forward process in `process`,
the samplers (diffusers' schedulers) in `samplers`, the jobs in `jobs`.

Pictures are uint8 (N, H, W, C), C = 1 or 3. States of a run are float32 (N, C, H, W) with pictures between -1
and 1. The steps of a run are numbered from 0 (nothing but noise) to `steps` (the picture); t is the noise
level that the network is told, on its own scale from 0 (clean) to 999 (noise).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engines.checks import between, whole
from engines.runtime import BadInput, Job, ModelRef

LOADER = "engines.diffusion.model:load"
SAMPLERS = ("ddpm", "ddim", "dpm++", "euler")
SCHEDULES = ("linear", "cosine", "sigmoid")
TRAINED = "trained"          # the schedule that a model came with, whatever it is
MAX_STEPS = 1000             # the models know a thousand noise levels
MAX_PICTURES = 16            # side by side; what a class can look at, and a UNet batch gains nothing beyond
MAX_SIDE = 256               # pixels of a picture that is handed in, already of the model's size
MAX_PIXELS = 4 * 256 * 256   # of all pictures of a run: four of 256 x 256 take the memory of a small machine
NO_LABEL = -1

Array = np.ndarray


def _needs(params) -> tuple[ModelRef, ...]:
    return (ModelRef(params.model, LOADER),)


def _check_picture(picture: Array, what: str) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] not in (1, 3):
        raise BadInput(f"{what} must be bytes of shape (H, W, 1 or 3); "
                       f"these are {picture.dtype} {tuple(picture.shape)}: convert it first.")
    if not 1 <= max(picture.shape[:2]) <= MAX_SIDE:
        raise BadInput(f"{what} is {picture.shape[1]} x {picture.shape[0]} pixels; the limit is {MAX_SIDE}: "
                       "scale it to the model's size first.")


# --- the reverse process -----------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Begin:
    """Where a run begins, if not in pure noise: at step `index` of its `steps`, from the state `x`.

    x: float32 (N, C, H, W), as `Step.x` gave it at that index. before: the same one step earlier, for
    samplers that look back a step (dpm++); empty where there is none.
    """

    index: int
    x: Array
    before: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        whole("the step to begin at", self.index, 0, MAX_STEPS)
        for what, x in (("the state to begin with", self.x), ("the state before it", self.before)):
            if x.dtype != np.float32 or (x.size and x.ndim != 4):
                raise BadInput(f"{what} must be float32 (N, C, H, W); this is {x.dtype} {tuple(x.shape)}.")
            if not np.isfinite(x).all():
                raise BadInput(f"{what} holds numbers that are not finite: start the run anew.")


@dataclass(frozen=True, eq=False)
class Sample:
    """Walk back from noise to pictures (algorithm 2), and show every step.

    labels:   one class for all pictures, or one for each; -1 asks for none.
    guidance: w in eps = eps_without + w (eps_with - eps_without) (Ho & Salimans 2022, arXiv:2207.12598, with their
              1 + w called w here, as diffusers does): 1 is plain conditioning, 0 ignores the label.
    eta:      of DDIM (Song et al. 2021, arXiv:2010.02502, eq. 16): 0 adds no noise, 1 as much as DDPM.
    seed:     picture k draws all its noise from seed + k, so it is the same whatever stands beside it.
    begin:    go on from a step of an earlier run instead of from noise.
    picture:  uint8 (H, W, C). With `strength`: begin with this picture dissolved up to the noise level
              t = 1000 strength - 1 (SDEdit, Meng et al. 2022, arXiv:2108.01073). With `mask`: what is not masked is kept.
    mask:     bool (H, W), True where the model may paint (RePaint, Lugmayr et al. 2022, arXiv:2201.09865, eq. 8).
    """

    model: str
    labels: tuple[int, ...] = (NO_LABEL,)
    guidance: float = 1.5
    sampler: Literal["ddpm", "ddim", "dpm++", "euler"] = "ddim"
    eta: float = 0.0
    steps: int = 50
    schedule: Literal["linear", "cosine", "sigmoid", "trained"] = "linear"
    count: int = 1
    seed: int = 0
    begin: Begin | None = None
    picture: Array | None = None
    strength: float = 1.0
    mask: Array | None = None

    def __post_init__(self) -> None:
        whole("the number of pictures", self.count, 1, MAX_PICTURES)
        whole("the number of steps", self.steps, 1, MAX_STEPS)
        whole("the seed", self.seed, 0, 2**31 - 1)
        between("guidance", self.guidance, -10, 30)
        between("eta", self.eta, 0, 1)
        between("the strength", self.strength, 0, 1)
        if len(self.labels) not in (1, self.count):
            raise BadInput(f"{len(self.labels)} classes were given for {self.count} pictures: give one, or one for each.")
        for label in self.labels:
            whole("the class", label, NO_LABEL, 10_000)
        if self.sampler not in SAMPLERS:
            raise BadInput(f"the sampler is {self.sampler!r:.40}; it may be {', '.join(SAMPLERS)}.")
        if self.schedule not in (*SCHEDULES, TRAINED):
            raise BadInput(f"the schedule is {self.schedule!r:.40}; it may be {', '.join((*SCHEDULES, TRAINED))}.")
        self._check_origin()

    def _check_origin(self) -> None:
        if self.begin is not None:
            if self.begin.index > self.steps:
                raise BadInput(f"the run is to begin at step {self.begin.index} and has {self.steps}: begin earlier.")
            if len(self.begin.x) != self.count:
                raise BadInput(f"the state holds {len(self.begin.x)} pictures, {self.count} were asked for.")
        if self.picture is not None:
            _check_picture(self.picture, "the picture")
        if self.mask is not None:
            if self.picture is None:
                raise BadInput("a mask was given without the picture that it belongs to: choose a picture first.")
            if self.mask.dtype != np.bool_ or self.mask.shape != self.picture.shape[:2]:
                raise BadInput(f"the mask must be bool {self.picture.shape[:2]}; "
                               f"it is {self.mask.dtype} {tuple(self.mask.shape)}.")
            if not self.mask.any():
                raise BadInput("the mask is empty, so there is nothing to paint: mark the part that may change.")


@dataclass(frozen=True)
class Step:
    """One step of a run, before it is taken: what stands there, and what the network believes.

    index of `steps`; t: the noise level the network is told; alpha_bar: of that level.
    x_t:     uint8 (N, H, W, C): the state, clipped to the range of pictures.
    eps:     uint8 (N, H, W, C): the predicted noise, -3 to 3 as 0 to 255.
    x_0:     uint8 (N, H, W, C): the clean picture that eps implies (eq. 15).
    with_label, without_label: the same by each branch of the guidance; empty where there is only one.
    x:       float32 (N, C, H, W): the state itself, to go on from.
    Of a latent diffusion model the state is a latent: x_t and eps show its first three channels, enlarged to the size
    of the picture, and x_0 is decoded.
    seconds: spent on this run so far.
    The last frame has index = steps: x_t and x_0 are the finished picture, eps is 127 all over.
    """

    index: int
    steps: int
    t: float
    alpha_bar: float
    x_t: Array
    eps: Array
    x_0: Array
    with_label: Array
    without_label: Array
    x: Array
    seconds: float


# --- the forward process -----------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Dissolve:
    """The noise that a picture is dissolved with: x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps (eq. 4)."""

    picture: Array
    seed: int = 0

    def __post_init__(self) -> None:
        _check_picture(self.picture, "the picture")
        whole("the seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True)
class Noise:
    """eps: float32 (H, W, C), drawn from the seed as `Sample` draws it."""

    eps: Array


# --- schedules ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Curves:
    """Ask for the three schedules of a run of so many steps. model: also for the one that this model came with."""

    steps: int = 50
    model: str = ""

    def __post_init__(self) -> None:
        whole("the number of steps", self.steps, 1, MAX_STEPS)


@dataclass(frozen=True)
class Schedules:
    """By schedule, in the order of SCHEDULES and then the model's own: beta, alpha_bar float32 (3 or 4, 1000);
    timesteps int (steps,)."""

    beta: Array
    alpha_bar: Array
    timesteps: Array

    @property
    def names(self) -> tuple[str, ...]:
        """What the rows are called."""
        return (*SCHEDULES, TRAINED)[:len(self.beta)]


# --- what is on a picture ----------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Judge:
    """Ask the small classifier what it sees. pictures: uint8 (N, H, W, C). model: a classifier's name."""

    model: str
    pictures: Array

    def __post_init__(self) -> None:
        if not 1 <= len(self.pictures) <= 1024:
            raise BadInput(f"{len(self.pictures)} pictures were given; it may be 1 to 1024: send fewer at once.")
        _check_picture(self.pictures[0], "the picture")


@dataclass(frozen=True)
class Verdict:
    """probabilities: float32 (N, classes), rows sum to 1; features: float32 (N, F), before the last layer."""

    probabilities: Array
    features: Array


sample = Job("engines.diffusion.jobs:sample", params=Sample, frame=Step, models=_needs, outbox_size=16,
             deadline_s=600.0, memory_mb=128)
dissolve = Job("engines.diffusion.jobs:dissolve", params=Dissolve, frame=Noise)
schedules = Job("engines.diffusion.jobs:schedules", params=Curves, frame=Schedules)
judge = Job("engines.diffusion.jobs:judge", params=Judge, frame=Verdict,
            models=lambda params: (ModelRef(params.model, "engines.diffusion.classifier:load"),))
