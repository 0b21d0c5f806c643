"""Diffusion in the plane: what may be asked of it, and what comes back.

The same mathematics as for pictures (Ho et al. 2020, arXiv:2006.11239), on data that has two numbers: points of a
shape. Cheap to import: numpy only. The shapes are in `shapes`, the network in `network`, both processes in `walks`,
the jobs in `jobs`, the training in `live`.

Data is shifted and scaled to a mean of 0 and a variance of 1 (the mean over both coordinates). The noise levels are
the paper's: t from 0 (the data) to T = 1000 (noise), linear betas. A walk takes `steps` strides through them, and
place k of a walk is the level t = 1000 k / steps: 0 is clean, `steps` is noise, for either direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engines.checks import whole
from engines.runtime import BadInput, Job, ModelRef

LOADER = "engines.diffusion.plane.network:load"
KINDS = ("moons", "spiral", "gaussians", "drawn", "latent")
LATENT_MODEL = "vae-mnist-2d"    # whose test-set codes are the shape "latent"
T = 1000                         # noise levels
MAX_STROKES = 2000               # points along what a visitor drew: more than a pad can tell apart
FAR = 10.0                       # of the plane: the data lies within 3
MAX_POINTS = 600                 # that travel: more hide each other
MAX_STEPS = 1000
MAX_LEVELS = 64                  # of a field that is scrubbed in the page: 64 x 33 x 33 arrows are half a megabyte
MAX_DRAWS = 32                   # paths from one place

Array = np.ndarray


def _needs(params) -> tuple[ModelRef, ...]:
    return (ModelRef(params.model, LOADER),)


def _check_walk(steps: int, seed: int) -> None:
    whole("the number of steps", steps, 2, MAX_STEPS)
    whole("the seed", seed, 0, 2**31 - 1)


# --- a shape -----------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Shape:
    """What the points lie on. drawing: float32 (K, 2), places along a visitor's strokes, for "drawn"."""

    kind: Literal["moons", "spiral", "gaussians", "drawn", "latent"] = "moons"
    drawing: Array = field(default_factory=lambda: np.zeros((0, 2), np.float32))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"the shape is {self.kind!r:.40}; it may be {', '.join(KINDS)}.")
        if self.kind == "drawn":
            self._check_drawing()

    def _check_drawing(self) -> None:
        places = self.drawing
        if not isinstance(places, np.ndarray) or places.dtype != np.float32 or places.ndim != 2 or places.shape[1] != 2:
            raise BadInput("the drawing must be float32 (K, 2), one row for each place: draw the shape again.")
        if not 8 <= len(places) <= MAX_STROKES:
            raise BadInput(f"the drawing has {len(places)} places; it may have 8 to {MAX_STROKES}: "
                           f"draw a {'longer' if len(places) < 8 else 'shorter'} line.")
        if not (np.abs(places) <= FAR).all():           # false for nan as well
            raise BadInput(f"the drawing leaves the plane, which ends at ±{FAR:g}: draw the shape again.")
        if places.astype(np.float64).std(axis=0).max() < 0.02:
            raise BadInput("the drawing is a single spot, narrower than 0.02: draw a line.")


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points of a shape, dissolving. levels: of `mass`; side: of its grid, which reaches from -reach to reach."""

    shape: Shape
    seed: int = 0
    count: int = 300
    steps: int = 200
    levels: tuple[int, ...] = (1,)
    side: int = 25
    reach: float = 3.0

    def __post_init__(self) -> None:
        _check_walk(self.steps, self.seed)
        whole("the number of points", self.count, 1, MAX_POINTS)
        _check_grid(self.levels, self.side, self.reach)


@dataclass(frozen=True)
class Scattered:
    """x_0: float32 (M, 2), the data; labels: uint8 (M,), which part of the shape each point is of.

    forward: float32 (steps + 1, N, 2), N points on their way from the data to noise (eq. 2), and which they are:
    chosen int (N,). alpha_bar: float32 (steps + 1,). centre, scale: data = centre + scale * x_0.
    mass: float32 (K, side, side), 0 to 1 at each level: how much of the data, dissolved so far, lies about each place
    of the grid, on a scale of three decades; where it is 0 the network has hardly been shown a point.
    """

    x_0: Array
    labels: Array
    forward: Array
    chosen: Array
    alpha_bar: Array
    centre: tuple[float, float]
    scale: float
    mass: Array


# --- training ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Train:
    """Train the small network from scratch on points of a shape, live.

    Its seed gives the weights, the batches and the points that are watched; side, reach: of the grid of the field.
    """

    shape: Shape
    seed: int = 0
    steps: int = 2000
    side: int = 25
    reach: float = 3.0

    def __post_init__(self) -> None:
        whole("the seed", self.seed, 0, 2**31 - 1)
        whole("the number of steps", self.steps, 1, 20_000)
        _check_grid((1,), self.side, self.reach)


@dataclass(frozen=True)
class Progress:
    """One look at the network in training.

    step of steps; seconds of training so far; loss: mean of |eps - eps_theta|^2 over the last steps (eq. 14), nan at
    first. levels: int (L,) and eps: float32 (L, side, side, 2), its field there. back: float32 (W + 1, N, 2), points
    that DDIM brings back in W strides, place 0 clean. model: "trained/<token>", empty until the last frame.
    """

    step: int
    steps: int
    seconds: float
    loss: float
    levels: Array
    eps: Array
    back: Array
    model: str = ""


# --- what the network has learned --------------------------------------------------------------------------------

@dataclass(frozen=True)
class Field:
    """The field at `levels`, on a square grid of side x side places from -reach to reach."""

    model: str
    levels: tuple[int, ...] = (1, 250, 500, 750, 1000)
    side: int = 25
    reach: float = 3.0

    def __post_init__(self) -> None:
        _check_grid(self.levels, self.side, self.reach)


@dataclass(frozen=True)
class Arrows:
    """eps: float32 (K, side, side, 2), rows from the top (y = reach) down; alpha_bar: float32 (K,).

    The score is -eps / sqrt(1 - alpha_bar) (Song et al. 2021, arXiv:2011.13456, section 3).
    """

    eps: Array
    alpha_bar: Array


@dataclass(frozen=True)
class Walk:
    """Points of the data to noise and back: by DDPM and by DDIM, from the same start.

    turn: the place at which they turn round; the default is the last, where nothing of the data is left.
    """

    model: str
    seed: int = 0
    count: int = 300
    steps: int = 200
    turn: int | None = None

    def __post_init__(self) -> None:
        _check_walk(self.steps, self.seed)
        whole("the number of points", self.count, 1, MAX_POINTS)
        if self.turn is not None:
            whole("the turn", self.turn, 1, self.steps)


@dataclass(frozen=True)
class Walked:
    """forward, ddpm, ddim: float32 (steps + 1, N, 2). Beyond the turn the last two are what they come from, forward."""

    forward: Array
    ddpm: Array
    ddim: Array


@dataclass(frozen=True)
class Follow:
    """From one place of the plane, and place `k` of a walk, down to the data: once by DDIM, `draws` times by DDPM."""

    model: str
    x: tuple[float, float]
    k: int
    steps: int = 200
    draws: int = 12
    seed: int = 0

    def __post_init__(self) -> None:
        _check_walk(self.steps, self.seed)
        whole("the number of draws", self.draws, 1, MAX_DRAWS)
        whole("the place on the walk", self.k, 1, self.steps)
        if len(self.x) != 2:
            raise BadInput(f"the place has {len(self.x)} numbers; the plane takes 2: give both.")
        for value in self.x:
            if not (math.isfinite(value) and abs(value) <= FAR):
                raise BadInput(f"the place holds {value:g}; the plane ends at ±{FAR:g}: choose one nearer to the middle.")


@dataclass(frozen=True)
class Followed:
    """ddim: float32 (k + 1, 2); ddpm: float32 (draws, k + 1, 2). Place 0 is clean."""

    ddim: Array
    ddpm: Array


def _check_grid(levels: tuple[int, ...], side: int, reach: float) -> None:
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise BadInput(f"{len(levels)} noise levels were asked for; it may be 1 to {MAX_LEVELS}: ask for fewer at once.")
    for level in levels:
        whole("the noise level", level, 1, T)
    whole("the side of the grid", side, 2, 33)
    if not (0 < reach <= FAR):
        raise BadInput(f"the grid reaches to {reach:g}; it may reach to {FAR:g}: choose a smaller one.")


scatter = Job("engines.diffusion.plane.jobs:scatter", params=Scatter, frame=Scattered)
field_ = Job("engines.diffusion.plane.jobs:field", params=Field, frame=Arrows, models=_needs)
walk = Job("engines.diffusion.plane.jobs:walk", params=Walk, frame=Walked, models=_needs)
follow = Job("engines.diffusion.plane.jobs:follow", params=Follow, frame=Followed, models=_needs)
train = Job("engines.diffusion.plane.live:train", params=Train, frame=Progress, mode="training", outbox="latest",
            deadline_s=300.0)
