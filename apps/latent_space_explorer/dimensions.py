"""Many dimensions at once: which of them say something, what each does, and sums of pictures.

Server functions for the page. Each takes one mapping and returns one, and answers a VisitorError
as {"error": sentence}. Numbers about the codes are measured on the bundled test pictures; every
picture is decoded by the model at the moment it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from apps.latent_space_explorer import codes, pictures
from apps.latent_space_explorer.codes import Space
from engines import runtime, vae
from engines.runtime import BadInput, VisitorError
from gallery.fields import MAX_TEXT, Field, choice, text

COLLAPSED_NATS = 0.05            # below it a dimension tells the decoder almost nothing about the picture
REACH = 3.0                      # a slider spans ±3: 99.7 % of what the prior draws
MAX_ROWS = 64                    # dimensions in one grid of traversals
MAX_STEPS = 15                   # pictures in one row of it
MAX_SUMMANDS = 50                # pictures in the mean of one term of a sum
NEIGHBOURS_SAMPLED = 400         # real pictures from which the usual distance to a neighbour is measured

FIELDS = {
    "dims": Field(choice("dims", "sliders", "collapsed", "sum", "wall"), "sliders"),
    "sum": Field(lambda value: _sum(value), ""),
}
SUM = re.compile(r"\d+(\.\d+)*-\d+(\.\d+)*\+\d+(\.\d+)*")


def _sum(value: str) -> str:
    """Test pictures by number, "12.13-40+7": the mean of 12 and 13, without 40, with 7."""
    if not SUM.fullmatch(text("sum", MAX_TEXT)(value)):
        raise BadInput(f"sum is {value[:40]!r}; write it as A-B+C, each of them pictures by number with dots between.")
    return value


def answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong for a reason a visitor can understand comes back as its one sentence."""
    @wraps(function)
    async def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if not isinstance(request, Mapping):
                raise BadInput("The page asked in a form that is not understood: reload it and try again.")
            return await function(request)
        except VisitorError as error:
            return {"error": str(error)}
    return answer


def server_functions() -> list[Callable[..., Any]]:
    return [dimension_overview, dimension_traversal, prior_draw, class_mean, find_pictures, arithmetic]


# --- what the page sends ------------------------------------------------------------------------------------------

def _model(request: Mapping[str, Any]) -> Space:
    return codes.read(str(request.get("model", "")))


def _whole(request: Mapping[str, Any], name: str, low: int, high: int, default: int) -> int:
    value = request.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or not low <= value <= high:
        raise BadInput(f"{name} is {str(value)[:20]!r}; it may be {low} to {high}: choose a whole number in between.")
    return int(value)


def _point(space: Space, value: Any) -> tuple[float, ...]:
    """A point of the space from the page; `vae.Decode` checks that its numbers are finite and not too large."""
    if not isinstance(value, (list, tuple)) or len(value) != space.d:
        raise BadInput(f"z needs {space.d} numbers for {space.name}: give one number for each dimension.")
    try:
        return tuple(float(number) for number in value)
    except (TypeError, ValueError):
        raise BadInput("z holds something that is not a number: give finite numbers.") from None


def _session(request: Mapping[str, Any]) -> str:
    return str(request.get("session") or "latent-space-explorer")[:64]


async def _decoded(space: Space, points: np.ndarray, request: Mapping[str, Any]) -> np.ndarray:
    """Decode points (N, d) with the model itself: uint8 (N, H, W, C)."""
    asked = vae.Decode(space.name, tuple(tuple(float(number) for number in point) for point in points))
    return (await runtime.start(vae.decode, asked, session=_session(request)).aresult()).images


# --- sliders ------------------------------------------------------------------------------------------------------

def _sentence(space: Space, k: int, kl: float, spread: float) -> str:
    if space.config.get("kind") == "ae":
        return f"A plain autoencoder has no KL term; the codes spread {spread:.2f} along this axis."
    if kl < COLLAPSED_NATS:
        return (f"KL {kl:.3f} nats: the encoder says nothing here, whatever the picture, "
                "so the decoder learned to ignore it.")
    return (f"KL {kl:.2f} nats: what this number says about a picture, on average over "
            f"{len(space.mu):,} test pictures; their means spread {spread:.2f}.")


@answering
async def dimension_overview(request: Mapping[str, Any]) -> dict[str, Any]:
    """Every dimension, the most telling first: its KL in nats, whether it collapsed, how far its slider reaches."""
    space = _model(request)
    kl, mean, spread = space.kl, space.mu.mean(0), space.mu.std(0)
    plain = space.config.get("kind") == "ae"
    order = np.argsort(-(spread if plain else kl), kind="stable")
    dimensions = []
    for k in order.tolist():
        reach = (float(mean[k] - REACH * spread[k]), float(mean[k] + REACH * spread[k])) if plain else (-REACH, REACH)
        dimensions.append({"k": k, "kl": float(kl[k]), "spread": float(spread[k]), "low": reach[0], "high": reach[1],
                           "collapsed": bool(not plain and kl[k] < COLLAPSED_NATS),
                           "sentence": _sentence(space, k, float(kl[k]), float(spread[k]))})
    return {"model": space.name, "d": space.d, "plain": plain, "threshold": COLLAPSED_NATS, "dimensions": dimensions,
            "kl": float(kl.sum()), "beta": space.config.get("beta"), "pictures": len(space.mu),
            "classes": pictures.class_names(space.dataset), "image": space.config["image"], "dataset": space.dataset,
            "examples": [{"title": title, **terms} for title, terms in pictures.examples(space.dataset, len(space.mu))]}


@answering
async def dimension_traversal(request: Mapping[str, Any]) -> dict[str, Any]:
    """A grid of decodings: each row moves one dimension over `steps` values and leaves the others at z.

    dims: the dimensions, one per row; low, high: one number per row. size: side of a cell in pixels.
    """
    space = _model(request)
    z = np.array(_point(space, request.get("z")), np.float64)
    dims = request.get("dims")
    if not isinstance(dims, (list, tuple)) or not 1 <= len(dims) <= min(MAX_ROWS, space.d):
        raise BadInput(f"A grid of traversals takes 1 to {min(MAX_ROWS, space.d)} dimensions: choose some of them.")
    dims = [_whole({"dimension": k}, "dimension", 0, space.d - 1, 0) for k in dims]
    steps = _whole(request, "steps", 2, MAX_STEPS, 7)
    if len(dims) * steps > vae.MAX_PICTURES:
        raise BadInput(f"{len(dims) * steps} pictures were asked for; the limit is {vae.MAX_PICTURES}: "
                       "take fewer steps.")
    size = _whole(request, "size", 8, 128, 64)
    low, high = (_ends(request.get(name), len(dims), side) for name, side in (("low", -REACH), ("high", REACH)))
    values = np.linspace(low, high, steps, axis=1)                                       # (rows, steps)
    points = np.repeat(z[None, None], len(dims), 0).repeat(steps, 1)                      # (rows, steps, d)
    points[np.arange(len(dims))[:, None], np.arange(steps)[None], np.array(dims)[:, None]] = values
    images = await _decoded(space, points.reshape(-1, space.d), request)
    return {"sheet": pictures.sheet(images, columns=steps, side=size), "side": min(size, images.shape[1]),
            "rows": len(dims), "columns": steps, "values": values.round(4).tolist()}


def _ends(value: Any, rows: int, default: float) -> np.ndarray:
    if value is None:
        return np.full(rows, default)
    ends = np.array(value, np.float64) if isinstance(value, (list, tuple)) else None
    if ends is None or ends.shape != (rows,) or not np.isfinite(ends).all():
        raise BadInput(f"The ends of the traversals must be {rows} finite numbers: give one for each row.")
    return ends


# --- somewhere to start -------------------------------------------------------------------------------------------

@answering
async def prior_draw(request: Mapping[str, Any]) -> dict[str, Any]:
    """A point drawn from the prior N(0, 1) by the visitor's seed; from the fitted normal for a plain autoencoder."""
    space = _model(request)
    seed = _whole(request, "seed", 0, 2**31 - 1, 0)
    eps = np.random.default_rng(seed).standard_normal(space.d)
    if space.config.get("kind") == "ae":
        z = space.mu.mean(0) + np.linalg.cholesky(np.cov(space.mu.T) + 1e-6 * np.eye(space.d)) @ eps
        how = f"seed {seed} · an autoencoder has no prior: drawn from the normal fitted to its codes"
    else:
        z, how = eps, f"seed {seed} · drawn from the prior N(0, 1)"
    return {"z": z.round(5).tolist(), "how": how}


@answering
async def class_mean(request: Mapping[str, Any]) -> dict[str, Any]:
    """The mean code of all test pictures of one class."""
    space = _model(request)
    names, labels = pictures.class_names(space.dataset), pictures.labels(space.dataset)
    label = _whole(request, "label", 0, len(names) - 1, 0)
    of_class = space.mu[labels[: len(space.mu)] == label]
    if not len(of_class):
        raise BadInput(f"No test picture belongs to class {label}: choose another class.")
    return {"z": of_class.mean(0).round(5).tolist(), "how": f"mean of {len(of_class):,} × {names[label]}"}


# --- sums of pictures ---------------------------------------------------------------------------------------------

@answering
async def find_pictures(request: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures of the data by words, class or chance: indices, names and one sheet of thumbnails."""
    space = _model(request)
    found = pictures.find(space.dataset, str(request.get("query", ""))[:80], total=len(space.mu),
                          seed=_whole(request, "seed", 0, 2**31 - 1, 0))
    offset = _whole(request, "offset", 0, 10**6, 0)
    limit = _whole(request, "limit", 1, 60, 40)
    some = found[offset:offset + limit]
    answer = {"total": len(found), "indices": some.tolist(), "columns": 10,
              "names": pictures.names(space.dataset, some)}
    if len(some):
        answer["sheet"] = pictures.sheet(pictures.images(space.dataset, some), 10, 32)
    return answer


def _term(space: Space, request: Mapping[str, Any], name: str) -> np.ndarray:
    chosen = request.get(name)
    letter = name.upper()
    if not isinstance(chosen, (list, tuple)) or not 1 <= len(chosen) <= MAX_SUMMANDS:
        raise BadInput(f"{letter} holds {len(chosen) if isinstance(chosen, (list, tuple)) else 0} pictures; "
                       f"it takes 1 to {MAX_SUMMANDS}: choose at least one.")
    return np.array([_whole({letter: index}, letter, 0, len(space.mu) - 1, 0) for index in chosen])


@lru_cache(maxsize=16)
def usual_neighbour(space: Space) -> float:
    """The median distance from a real code to the nearest other one, from a fixed sample of them."""
    sample = np.random.default_rng(0).permutation(len(space.mu))[:NEIGHBOURS_SAMPLED]
    squared = ((space.mu**2).sum(1) + (space.mu[sample]**2).sum(1)[:, None] - 2 * space.mu[sample] @ space.mu.T)
    squared[np.arange(len(sample)), sample] = np.inf
    return float(np.median(np.sqrt(np.maximum(squared.min(1), 0))))


def verdict(space: Space, z: np.ndarray, terms: dict[str, np.ndarray]) -> tuple[int, float, str]:
    """The nearest real picture to z (d,), its distance, and what the numbers say about the sum."""
    distance = np.sqrt(((space.mu - z) ** 2).sum(1))
    nearest = int(distance.argmin())
    radius, rim = float(np.linalg.norm(z)), float(np.quantile(np.linalg.norm(space.mu, axis=1), 0.99))
    usual = usual_neighbour(space)
    own = [letter.upper() for letter, chosen in terms.items() if nearest in chosen]
    if own and distance[nearest] < usual / 2:
        said = f"That is {own[0]} itself: the sum came back to where it began."
    elif radius > rim:
        said = (f"The sum lies further out (|z| = {radius:.1f}) than 99 % of the real pictures ({rim:.1f}): "
                "no picture taught the decoder this place, so it guesses.")
    elif distance[nearest] > 2 * usual:
        said = (f"It is {distance[nearest]:.1f} away, {distance[nearest] / usual:.1f}× the usual distance between "
                f"neighbours ({usual:.1f}): the sum landed in a gap, do not expect a clean picture.")
    elif own:
        said = (f"That is {own[0]}, {distance[nearest]:.1f} away; neighbours usually lie {usual:.1f} apart: "
                "the sum is a place of its own, and no other real picture is nearer.")
    else:
        said = (f"It is {distance[nearest]:.1f} away; neighbours usually lie {usual:.1f} apart: "
                "the sum landed where real pictures are.")
    return nearest, float(distance[nearest]), said


@answering
async def arithmetic(request: Mapping[str, Any]) -> dict[str, Any]:
    """z = mean(A) - mean(B) + mean(C) of the codes, decoded, with the nearest real picture for comparison."""
    space = _model(request)
    terms = {name: _term(space, request, name) for name in ("a", "b", "c")}
    means = {name: space.mu[chosen].mean(0) for name, chosen in terms.items()}
    z = means["a"] - means["b"] + means["c"]
    decoded = await _decoded(space, np.stack([*means.values(), z]), request)                 # (4, H, W, C)
    nearest, distance, said = verdict(space, z, terms)
    real = pictures.images(space.dataset, np.array([nearest]))
    return {"z": z.astype(float).round(5).tolist(),
            "codes": {name: mean.astype(float).round(3).tolist() for name, mean in means.items()},
            "sheet": pictures.sheet(np.concatenate([decoded, real]), columns=5, side=real.shape[1]), "columns": 5,
            "nearest": {"index": nearest, "distance": distance, "name": pictures.names(space.dataset, [nearest])[0]},
            "names": {name: _called(space, chosen) for name, chosen in terms.items()}, "verdict": said}


def _called(space: Space, chosen: np.ndarray) -> str:
    """What a term is: a picture's name, or of how many of what it is the mean."""
    if len(chosen) == 1:
        return pictures.names(space.dataset, chosen)[0]
    classes = {pictures.class_names(space.dataset)[label] for label in pictures.labels(space.dataset)[chosen]}
    return f"mean of {len(chosen)} × {classes.pop()}" if len(classes) == 1 else f"mean of {len(chosen)}"
