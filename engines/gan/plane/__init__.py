"""A GAN in the plane: what may be asked of it, and what comes back.

The game of Goodfellow et al. (2014, arXiv:1406.2661) where both players, the data and every gradient can be drawn.
Cheap to import: numpy only. The data is in `shapes`, both networks in `networks`, the game in `game`, what is measured
in `measure`, the jobs in `jobs`.

Data is shifted and scaled into the square from -1 to 1. A *round* is `d_steps` updates of the discriminator and one of
the generator; a *moment* is all that a run needs to go on exactly as it would have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engines import gan
from engines.checks import one_of, whole
from engines.runtime import BadInput, Job

SHAPES = ("line", "ring", "grid", "spiral", "rings", "own")
OPTIMISERS = ("adam", "rmsprop", "sgd")
MIN_POINTS, MAX_POINTS = 8, 20_000       # of a visitor's own: fewer are no distribution, more are not told apart
MAX_LAYERS, MAX_WIDTH = 5, 128
MAX_ROUNDS = 1_000_000                   # some minutes without a page that slows it
REACH = 1.5                              # the surface and the pictures show the plane from -REACH to REACH
SIDE = 48                                # places along a side of the discriminator's surface
SAMPLES = 400                            # generated points that a look shows
ARROWS = 120                             # of them, with the gradient that pulls at each
MESH = 21                                # lines of the generator's grid, each way

Array = np.ndarray


def _nothing(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


# --- what is played ----------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Shape:
    """What the real points lie on. points: float32 (K, 2), a visitor's own, for "own"; in any units."""

    kind: Literal["line", "ring", "grid", "spiral", "rings", "own"] = "ring"
    points: Array = field(default_factory=lambda: _nothing(0, 2))

    def __post_init__(self) -> None:
        if self.kind not in SHAPES:
            raise BadInput(f"the data is {self.kind!r:.40}; it may be {', '.join(SHAPES)}: choose one of these.")
        if self.kind == "own":
            self._check_points()

    def _check_points(self) -> None:
        points = self.points
        if not isinstance(points, np.ndarray) or points.dtype != np.float32 or points.ndim != 2 or points.shape[1] != 2:
            raise BadInput("your points must be float32 (K, 2), one row for each: draw or upload them again.")
        if not MIN_POINTS <= len(points) <= MAX_POINTS:
            raise BadInput(f"there are {len(points):,} points; it may be {MIN_POINTS} to {MAX_POINTS:,}: "
                           f"give {'more' if len(points) < MIN_POINTS else 'fewer'}.")
        if not np.isfinite(points).all():
            raise BadInput("one of your points is no number (nan or infinite): remove it.")
        if not np.ptp(points.astype(np.float64), axis=0).max() > 0:
            raise BadInput("all your points are one and the same place: there is nothing to learn; give others.")


@dataclass(frozen=True)
class Rules(gan.Rules):
    """The rules of the game. Where a rule belongs to one loss only, the others leave it alone.

    g_layers, d_layers: widths of the hidden layers, leaky ReLU after each. clip: bound of the critic's weights ("wgan").
    gp: weight of the gradient penalty ("wgan-gp"). r1: gamma of the penalty on real points, for any loss. noise: standard
    deviation of what is added to real and generated points before they are judged. smoothing: real counts as
    1 - smoothing ("minimax", "non-saturating", "least-squares"). spectral: of the discriminator's weights. batch_norm:
    of the generator's hidden layers. beta1: also the momentum of "sgd"; beta2: also the decay of "rmsprop". decay:
    both learning rates fall from half that step on, in a straight line to a fiftieth at it (0: never).
    """

    loss: str = "non-saturating"
    g_layers: tuple[int, ...] = (32, 32)
    d_layers: tuple[int, ...] = (32, 32)
    z_dim: int = 2
    z_kind: Literal["normal", "uniform"] = "normal"
    batch: int = 150
    d_steps: int = 1
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    lr_g: float = 0.001
    lr_d: float = 0.001
    beta1: float = 0.5
    beta2: float = 0.99
    decay: int = 0
    clip: float = 0.1
    gp: float = 0.1
    r1: float = 0.0
    noise: float = 0.0
    smoothing: float = 0.0
    spectral: bool = False
    batch_norm: bool = False

    def __post_init__(self) -> None:
        self.check_shared()
        one_of("the optimiser", self.optimiser, OPTIMISERS)
        for who, layers in (("the generator", self.g_layers), ("the discriminator", self.d_layers)):
            whole(f"{who}'s number of hidden layers", len(layers), 1, MAX_LAYERS)
            for width in layers:
                whole(f"the width of a layer of {who}", width, 1, MAX_WIDTH)
        whole("the dimension of z", self.z_dim, 1, 32)
        whole("the batch", self.batch, 2, 512)
        whole("the step by which learning rates have fallen", self.decay, 0, MAX_ROUNDS)


@dataclass(frozen=True, eq=False)
class Moment:
    """What a run can go on from. Made by the engine; a page never sends one.

    g, d: float32 (parameters,) with optimiser memories g_memory, d_memory: float32 (2, parameters); updates: of each,
    by which Adam corrects its bias. extra: running statistics and singular vectors. random: uint8, the generator's state.
    """

    rules: Rules
    step: int
    g: Array
    d: Array
    g_memory: Array
    d_memory: Array
    updates: tuple[int, int]
    extra: Array
    random: Array


@dataclass(frozen=True, eq=False)
class Play:
    """Play on from a moment (None: from the beginning) until so many rounds have been played in all.

    who: "both", or only one of the players: then an update of that one counts as a round. every: rounds between two
    looks; 0: a look about 30 times a second. The first look is at the start itself.
    """

    shape: Shape = Shape()
    rules: Rules = Rules()
    seed: int = 0
    until: int = 5000
    who: Literal["both", "d", "g"] = "both"
    every: int = 0
    start: Moment | None = None

    def __post_init__(self) -> None:
        whole("the seed", self.seed, 0, 2**31 - 1)
        whole("the last step", self.until, 0, MAX_ROUNDS)
        whole("the steps between two looks", self.every, 0, MAX_ROUNDS)
        one_of("the player", self.who, ("both", "d", "g"))


# --- what is seen ------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Measures:
    """How well it goes. Losses and means over fresh points; gradient norms of the last update of each.

    d_real, d_fake: mean of D, a probability for the losses that have one, else a score.
    modes: share of the samples that each mode holds, float32 (M,), empty where the data has no modes; found: how many
    hold a tenth of their fair share. good: share of samples within three standard deviations of a mode, or as near to a
    real point as real points are. jsd: Jensen-Shannon divergence in bits, on a grid. w1: estimate of Wasserstein-1,
    None where it was not taken.
    """

    loss_d: float
    loss_g: float
    d_real: float
    d_fake: float
    norm_d: float
    norm_g: float
    found: int
    modes: Array
    good: float
    jsd: float
    w1: float | None = None


@dataclass(frozen=True)
class Look:
    """The game at one moment.

    samples: float32 (SAMPLES, 2), always from the same noise; arrows: float32 (ARROWS, 2), minus the gradient of the
    generator's loss at the first of them, for a batch of one. surface: float32 (SIDE, SIDE), D's logit or score, first
    row the top of the plane. mesh: float32 (MESH, MESH, 2), what G makes of a square grid of its noise (MESH x 1 where
    z has one dimension). changed: rules that changed since the last look. broken: a sentence, where a number of the
    game is no longer one; then the run ends, and `moment` is the last good one. moment: None at most looks.
    """

    step: int
    seconds: float
    samples: Array
    arrows: Array
    surface: Array
    mesh: Array
    measures: Measures
    changed: tuple[str, ...] = ()
    broken: str = ""
    moment: Moment | None = None


@dataclass(frozen=True)
class Real:
    """The data: points float32 (N, 2) as they are shown; centres float32 (M, 2) of its modes, and their width.

    What was there is centre + scale * points.
    """

    points: Array
    centres: Array
    width: float
    centre: tuple[float, float]
    scale: float


@dataclass(frozen=True)
class Anatomy:
    """One round, taken apart: every quantity at the moment at which it exists.

    z: float32 (B, z_dim); real, fake: float32 (B, 2); real_before, fake_before: D's logits (B,) before its last update,
    real_after, fake_after: after it. pull: float32 (B, 2), minus the gradient of G's loss at each fake, for a batch of
    one. moved: float32 (B, 2), what G makes of the same z after its update. before, learned: float32 (SIDE, SIDE), the
    surface before and after D's update. look: the game after the round, with its moment.
    """

    z: Array
    real: Array
    fake: Array
    real_before: Array
    fake_before: Array
    real_after: Array
    fake_after: Array
    pull: Array
    moved: Array
    before: Array
    learned: Array
    loss_d: float
    loss_g: float
    look: Look


real = Job("engines.gan.plane.jobs:real", params=Shape, frame=Real)
# No look is dropped: one of them may be the moment at which a rule changed. A reader that is slow slows the game.
play = Job("engines.gan.plane.jobs:play", params=Play, frame=Look, mode="training", outbox="wait", outbox_size=2,
           deadline_s=7200.0)
anatomy = Job("engines.gan.plane.jobs:anatomy", params=Play, frame=Anatomy, mode="training")
