"""Models that did not come with the gallery: the ones it offers, the host's own, and any other of the Hub.

How they are looked at and fetched: `gallery.elsewhere`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engines import runtime
from engines.diffusion import layout
from engines.runtime import BadInput, hub, models
from gallery.elsewhere import Elsewhere

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


# --- what is known of one -----------------------------------------------------------------------------------------

def config(name: str) -> dict[str, Any]:
    """As a bundled model's config.json says it, read from the files. Raises BadInput or ModelFault."""
    ELSEWHERE.permit(name)
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


def _refuse(offer: hub.Offer) -> None:
    """Raises BadInput for a latent model where there is no GPU."""
    if any(path.startswith(layout.FIRST_STAGES) for path, _ in offer.files):
        _check_gpu(offer.name, offer.weights // 4)


ELSEWHERE = Elsewhere(CURATED, config, layout.wanted, _refuse)
