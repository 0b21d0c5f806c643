"""Models that did not come with the gallery: the ones it offers, the host's own, and any other of the Hub.

How they are looked at and fetched: `gallery.elsewhere`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engines.language import layout
from engines.runtime import hub, models
from gallery.elsewhere import Elsewhere


@dataclass(frozen=True)
class Curated:
    """A model that the room offers. megabytes: of its weights, reckoned from their number at four bytes each; what the
    Hub says when it is asked is what counts."""

    name: str
    title: str
    megabytes: int


CURATED = (
    Curated("distilbert/distilgpt2", "DistilGPT-2: half of GPT-2’s layers", 328),
    Curated("openai-community/gpt2", "GPT-2, the smallest of the four", 498),
)


def config(name: str) -> dict[str, Any]:
    """As `catalogue.told` says it of a bundled model, read from the files. Raises BadInput or ModelFault."""
    ELSEWHERE.permit(name)
    place = models.folder(name)
    found = _about(place, tuple(sorted((path.name, path.stat().st_mtime_ns) for path in place.iterdir())))
    title = name.removeprefix(hub.PREFIX).rpartition("/")[2]
    about = "A folder on this machine" if name.startswith(hub.PREFIX) else "From the Hugging Face Hub"
    return {"name": name, "title": title, "about": about, "parameters": found.parameters, "context": found.context,
            "vocabulary": found.vocabulary, "licence": found.licence, "family": "language", "measured": {}, "foreign": True}


@lru_cache(maxsize=32)
def _about(place: Path, files: tuple[tuple[str, int], ...]) -> layout.About:
    return layout.about(place)


ELSEWHERE = Elsewhere(CURATED, config, layout.wanted)
