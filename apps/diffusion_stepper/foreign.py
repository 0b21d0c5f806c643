"""Models that did not come with the gallery: the ones it offers, the host's own, and any other of the Hub.

A model is looked at first (its size is known then, and whether it would fit), and fetched when the visitor wishes it
(`apps.diffusion_stepper.downloads`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engines import runtime
from engines.diffusion import layout
from engines.runtime import BadInput, VisitorError, hub, models

DATASET = "photo"                    # how a visitor's picture is fitted: cut square, nothing else
LATENT_ON_CPU = 50_000_000           # weights of a latent model that a processor walks through in bearable time
NO_GPU = ("{name} is a latent diffusion model of {count:,.0f} million weights, which wants a GPU, and this gallery "
          "computes on {device}: choose a model that works on pixels, or start the gallery where there is a GPU.")


@dataclass(frozen=True)
class Curated:
    """A model that the room offers. megabytes: of its weights, reckoned from their number at four bytes each; what the
    Hub says when it is asked is what counts."""

    name: str
    title: str
    megabytes: int
    side: int


CURATED = (
    Curated("google/ddpm-cifar10-32", "CIFAR-10: animals and vehicles", 143, 32),
    Curated("google/ddpm-celebahq-256", "CelebA-HQ: faces", 455, 256),
    Curated("google/ddpm-church-256", "LSUN: churches", 455, 256),
)


def curated() -> tuple[str, ...]:
    return tuple(each.name for each in CURATED)


# --- what is known of one -----------------------------------------------------------------------------------------

def is_foreign(name: str) -> bool:
    return hub.is_id(name) or hub.is_own(name)


def config(name: str) -> dict[str, Any]:
    """As a bundled model's config.json says it, read from the files. Raises BadInput or ModelFault."""
    if hub.is_id(name):
        hub.permit(name, curated())
    place = models.folder(name)
    found = _layout(place, tuple(sorted((path.name, path.stat().st_mtime_ns) for path in place.iterdir())))
    if found.first_stage is not None:
        _check_gpu(name, found.parameters)
    return {"name": name, "family": "diffusion", "dataset": DATASET, "image": list(found.image),
            "classes": list(found.classes), "free": found.free, "schedule": found.schedule,
            "latent": found.first_stage is not None, "parameters": found.parameters, "measured": {}, "foreign": True}


@lru_cache(maxsize=32)
def _layout(place: Path, files: tuple[tuple[str, int], ...]) -> layout.Layout:
    return layout.read(place)


def _check_gpu(name: str, parameters: int) -> None:
    state = runtime.state()
    if state.device.partition(":")[0] in ("", "cpu") and parameters > LATENT_ON_CPU:
        raise BadInput(NO_GPU.format(name=name, count=parameters / 1e6, device=state.device_name or "a processor"))


def shelf() -> dict[str, Any]:
    """What the page offers beside the bundled models."""
    allowed = hub.policy()
    offered = [] if allowed == "bundled" else CURATED
    return {"policy": allowed, "own": list(hub.own()),
            "curated": [{"name": each.name, "title": each.title, "megabytes": each.megabytes, "side": each.side,
                         "here": _here(each.name)} for each in offered]}


def _here(name: str) -> bool:
    try:
        config(name)
    except VisitorError:
        return False
    return True


def look(name: str) -> dict[str, Any]:
    """{"config"} of a model that is here, or {"offer"} of one that can be fetched. Blocks. Raises VisitorError."""
    name = name.strip()
    if hub.is_own(name) or hub.is_id(name) and hub.policy() != "bundled" and hub.fetched(name) is not None and _here(name):
        return {"config": config(name)}
    offer = asked(name)
    return {"offer": {"name": offer.name, "bytes": offer.bytes, "licence": offer.licence, "files": len(offer.files)}}


def asked(name: str) -> hub.Offer:
    """What the Hub has under that id, if it is allowed and would fit. Blocks. Raises VisitorError."""
    if hub.is_id(name):
        hub.permit(name, curated())
    offer = hub.ask(name, layout.wanted)
    hub.room(offer, runtime.state().budget_bytes)
    if any(path.startswith(layout.FIRST_STAGES) for path, _ in offer.files):
        _check_gpu(name, offer.weights // 4)
    return offer
