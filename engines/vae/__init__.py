"""Variational autoencoder: what may be asked of it, and what comes back.

Kingma & Welling, "Auto-Encoding Variational Bayes", ICLR 2014, arXiv:1312.6114.
Cheap to import: numpy only. The paper is in `engines.vae.model`, its networks in
`networks`, the jobs in `jobs` and `live`.

Pictures are uint8 (N, H, W, C), C = 1 (grey, 0 is background) or 3 (RGB). Latent codes are float32
(N, d). Reconstruction terms and KL divergences are in nats; for the Bernoulli models the
reconstruction term is the negative log-likelihood -log p(x|z), so that
-ELBO = reconstruction + beta * KL with beta = 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engines.checks import between, whole
from engines.runtime import BadInput, Job, ModelRef

LOADER = "engines.vae.model:load"
MAX_PICTURES = 1024          # pictures in one request: 1024 x 64 x 64 x 3 bytes is 12 MB on the wire
MAX_Z = 1e3                  # beyond it every decoder here is saturated and only overflow is left to see
MAX_STEPS = 240              # pictures in one path: 8 s at 30 a second

Vector = tuple[float, ...]


def _needs(params) -> tuple[ModelRef, ...]:
    return (ModelRef(params.model, LOADER),)


def _check_z(z: Vector, what: str = "z") -> None:
    if not 1 <= len(z) <= 512:
        raise BadInput(f"{what} has {len(z)} numbers; a model here has 1 to 512 dimensions: give one number for each.")
    for value in z:
        if not math.isfinite(value):
            raise BadInput(f"{what} holds {value}, which is no point of the plane: give finite numbers.")
        if abs(value) > MAX_Z:
            raise BadInput(f"{what} holds {value:g}; the limit is ±{MAX_Z:g}: choose a point nearer to the origin.")


def _check_pictures(pictures: np.ndarray, what: str = "pictures") -> None:
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise BadInput(f"{what} must be bytes of shape (N, H, W, 1 or 3); "
                       f"these are {pictures.dtype} {tuple(pictures.shape)}: convert them first.")
    if not 1 <= len(pictures) <= MAX_PICTURES:
        raise BadInput(f"{len(pictures)} {what} were given; the limit is {MAX_PICTURES}: send fewer at once.")


# --- decode: one, many -------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Decode:
    """Decode points of the latent space. z: N points, each with the model's d numbers."""

    model: str
    z: tuple[Vector, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.z) <= MAX_PICTURES:
            raise BadInput(f"{len(self.z)} points were asked for; the limit is {MAX_PICTURES}: ask for fewer at once.")
        for point in self.z:
            _check_z(point)


@dataclass(frozen=True)
class Pictures:
    """images: uint8 (N, H, W, C), the decoder's mean; z: float32 (N, d), the points decoded."""

    images: np.ndarray
    z: np.ndarray


# --- decode: a grid ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Grid:
    """Decode rows x columns points spread evenly over a plane through `origin` along two axes.

    The point in row r and column c is origin with its axis[0] coordinate set to
    x0 + (x1 - x0) c / (columns - 1), and its axis[1] coordinate to y1 - (y1 - y0) r / (rows - 1):
    the first row is the top of the map. extent = (x0, x1, y0, y1).
    """

    model: str
    extent: tuple[float, float, float, float]
    rows: int
    columns: int
    origin: Vector = ()                  # empty: the zero vector
    axis: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        _check_z(self.extent, "extent")
        if self.origin:
            _check_z(self.origin, "origin")
        whole("rows", self.rows, 2, 2048)
        whole("columns", self.columns, 2, 2048)
        if not (2 <= self.rows and 2 <= self.columns and self.rows * self.columns <= 64 * 64):
            raise BadInput(f"a grid of {self.rows} x {self.columns} was asked for; "
                           f"it may be 2 x 2 to 64 x 64: choose fewer rows or columns.")


# --- encode ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Encode:
    """Encode pictures and say what the loss says of each, with z = mu."""

    model: str
    pictures: np.ndarray                 # uint8 (N, H, W, C), already of the model's size

    def __post_init__(self) -> None:
        _check_pictures(self.pictures)


@dataclass(frozen=True)
class Codes:
    """mu, logvar: float32 (N, d). reconstruction: uint8 (N, H, W, C), decoded from mu.

    reconstruction_nats: float32 (N,), -log p(x | z = mu). kl_nats: float32 (N, d), the KL divergence
    from N(0, 1) by dimension, zero for a plain autoencoder.
    """

    mu: np.ndarray
    logvar: np.ndarray
    reconstruction: np.ndarray
    reconstruction_nats: np.ndarray
    kl_nats: np.ndarray


# --- sample again ------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Reconstruct:
    """Draw eps n times and decode z = mu + sigma * eps each time (the reparameterisation, eq. 4)."""

    model: str
    picture: np.ndarray                  # uint8 (H, W, C)
    n: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        _check_pictures(self.picture[None], "picture")
        whole("n", self.n, 1, 64)
        whole("seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True)
class Draws:
    """eps, z: float32 (n, d). images: uint8 (n, H, W, C). reconstruction_nats: float32 (n,)."""

    eps: np.ndarray
    z: np.ndarray
    images: np.ndarray
    reconstruction_nats: np.ndarray


# --- a path ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Interpolate:
    """Walk from point to point. way: "line", or "circle" (spherical interpolation between each two)."""

    model: str
    points: tuple[Vector, ...]
    steps: int = 24                      # pictures in all
    way: Literal["line", "circle"] = "line"

    def __post_init__(self) -> None:
        if not 2 <= len(self.points) <= 16:
            raise BadInput(f"a path of {len(self.points)} points was asked for; it takes 2 to 16: "
                           f"pin a few points first.")
        for point in self.points:
            _check_z(point)
        whole("steps", self.steps, len(self.points), MAX_STEPS)
        if self.way not in ("line", "circle"):
            raise BadInput(f"the way is {self.way!r}; it may be 'line' or 'circle'.")


# --- train -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Train:
    """Train from scratch on the bundled training pictures of `dataset`, live."""

    dataset: Literal["mnist", "fashion"] = "mnist"
    latent: int = 2
    beta: float = 1.0
    kind: Literal["vae", "ae"] = "vae"
    seconds: float = 40.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.dataset not in ("mnist", "fashion"):
            raise BadInput(f"the data set is {self.dataset!r}; it may be 'mnist' or 'fashion'.")
        if self.kind not in ("vae", "ae"):
            raise BadInput(f"the kind is {self.kind!r}; it may be 'vae' or 'ae'.")
        whole("latent", self.latent, 2, 32)
        between("beta", self.beta, 0.0, 20.0)
        between("seconds", self.seconds, 1, 120)
        whole("seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True)
class Progress:
    """One look at a model in training.

    step; seconds of training so far; fraction of the whole (0 to 1); reconstruction_nats, kl_nats:
    means over the held-out pictures watched; train_nats: mean -ELBO over the last steps;
    mu: float32 (M, d), the codes of the watched pictures; labels: uint8 (M,);
    samples: uint8 (S, H, W, C), decoded from fixed points of the prior;
    model: name to explore the finished model by ("trained/<token>"), empty until the last frame.
    """

    step: int
    seconds: float
    fraction: float
    reconstruction_nats: float
    kl_nats: float
    train_nats: float
    mu: np.ndarray
    labels: np.ndarray
    samples: np.ndarray
    model: str = ""


decode = Job("engines.vae.jobs:decode", params=Decode, frame=Pictures, models=_needs)
grid = Job("engines.vae.jobs:grid", params=Grid, frame=Pictures, models=_needs)
encode = Job("engines.vae.jobs:encode", params=Encode, frame=Codes, models=_needs)
reconstruct = Job("engines.vae.jobs:reconstruct", params=Reconstruct, frame=Draws, models=_needs)
interpolate = Job("engines.vae.jobs:interpolate", params=Interpolate, frame=Pictures, models=_needs)
train = Job("engines.vae.live:train", params=Train, frame=Progress, mode="training", outbox="latest", deadline_s=300.0)
