"""Models that do not come with the gallery: of the Hugging Face Hub, by their id, and the host's own, by their folder.

    "google/ddpm-cifar10-32"    lies in the Hub's cache on this machine once it has been fetched
    "folder:faces"              a folder below models/ in the gallery's root (or below GALLERY_MODEL_FOLDERS)

Only `ask` and `fetch` go to the network, and only when a visitor wishes it. What was fetched once works offline.
Neither imports torch.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engines.runtime.errors import BadInput, Cancelled, ModelFault

log = logging.getLogger(__name__)

POLICY = "GALLERY_MODELS"               # which models a visitor may use: "bundled", "curated" or "any"
FOLDERS = "GALLERY_MODEL_FOLDERS"       # where the host keeps its own
POLICIES = ("bundled", "curated", "any")
PREFIX = "folder:"
ASK_S = 10.0                            # the Hub answers within one, or not at all
KEPT_FREE = 2**30                       # bytes that a download leaves on the disk
MB = 10**6
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_OWN = re.compile(r"folder:[A-Za-z0-9][\w.-]{0,63}")

Policy = Literal["bundled", "curated", "any"]


@dataclass(frozen=True)
class Offer:
    """A model of the Hub, as it may be fetched. files: (path in the repository, bytes). licence: "" where none is told."""

    name: str
    files: tuple[tuple[str, int], ...]
    licence: str = ""

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files)

    @property
    def weights(self) -> int:
        return sum(size for path, size in self.files if path.endswith(".safetensors"))


# --- names -------------------------------------------------------------------------------------------------------

def is_id(name: str) -> bool:
    """Whether a name is one of the Hub's: owner/model."""
    return bool(_ID.fullmatch(name)) and not name.startswith("trained/") and ".." not in name


def is_own(name: str) -> bool:
    return bool(_OWN.fullmatch(name)) and ".." not in name


def policy() -> Policy:
    """What the host allows. Raises BadInput for a word that is none of the three."""
    wish = os.environ.get(POLICY, "").strip().lower() or "any"
    if wish not in POLICIES:
        raise BadInput(f"{POLICY} is {wish[:40]!r}; it may be {', '.join(POLICIES)}: set one of these, or leave it out.")
    return wish                                                                                # type: ignore[return-value]


def permit(name: str, curated: tuple[str, ...]) -> None:
    """Raises BadInput, with what to do, where the host does not allow this model of the Hub."""
    allowed = policy()
    if allowed == "bundled":
        raise BadInput(f"This gallery shows its bundled models only, so {name} cannot be used here: "
                       "start one of your own, where any model may be chosen.")
    if allowed == "curated" and name not in curated:
        raise BadInput(f"This gallery fetches chosen models only, and {name} is not among them: "
                       f"choose one of {', '.join(curated) or 'the bundled ones'}, or start a gallery of your own.")


# --- the host's own folders --------------------------------------------------------------------------------------

def home() -> Path:
    place = os.environ.get(FOLDERS, "")
    return Path(place) if place else Path(__file__).resolve().parents[2] / "models"


def own() -> tuple[str, ...]:
    """Names of the folders that the host put there, sorted."""
    place = home()
    found = (PREFIX + path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else ()
    return tuple(sorted(filter(is_own, found)))


def own_folder(name: str) -> Path:
    """Raises BadInput when there is none of that name."""
    place = home() / name.removeprefix(PREFIX)
    if not is_own(name) or not place.is_dir():
        known = ", ".join(own()[:12])
        raise BadInput(f"There is no folder {name.removeprefix(PREFIX)[:40]!r} among this gallery's own models: "
                       + (f"choose one of {known}." if known else "put one into models/ first."))
    return place


# --- the Hub's cache ---------------------------------------------------------------------------------------------

def fetched(name: str) -> Path | None:
    """The folder of a model of the Hub on this machine; None when it has not been fetched."""
    from huggingface_hub import try_to_load_from_cache
    for known in ("model_index.json", "config.json"):
        path = try_to_load_from_cache(name, known)
        if isinstance(path, str):
            return Path(path).parent
    return None


def fetched_folder(name: str) -> Path:
    """Raises ModelFault when it has not been fetched, BadInput when the host allows bundled models only."""
    if policy() == "bundled":
        permit(name, ())
    place = fetched(name)
    if place is None:
        raise ModelFault(f"{name} is not on this machine yet: choose it among the models and let it be fetched.")
    return place


# --- asking and fetching -----------------------------------------------------------------------------------------

def ask(name: str, wanted: Callable[[dict[str, int]], tuple[str, ...]]) -> Offer:
    """What the Hub has under that id. wanted: of all its files (path -> bytes) those to be fetched; it may raise.

    Raises BadInput when there is no such model, ModelFault when the Hub cannot be reached or gives it to members only.
    """
    if not is_id(name):
        raise BadInput(f"{name[:60]!r} is no id of the Hub: it is written owner/model, as in google/ddpm-cifar10-32.")
    from huggingface_hub import HfApi
    try:
        info = HfApi(_endpoint()).model_info(name, files_metadata=True, timeout=ASK_S)
    except Exception as fault:
        raise _told(name, fault) from None
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    card = getattr(info, "card_data", None)
    licence = str((card or {}).get("license") or "") if card is not None else ""
    return Offer(name, tuple((path, sizes[path]) for path in wanted(sizes)), licence)


def room(offer: Offer, budget: int) -> None:
    """Refuse what would not fit, before anything is fetched. budget: bytes for models; 0: not known.

    Raises BadInput with the numbers.
    """
    if budget and offer.weights > budget:
        raise BadInput(f"{offer.name} has weights of {offer.weights / MB:,.0f} MB, and the gallery may use "
                       f"{budget / MB:,.0f} MB of memory here, so it was not fetched: choose a smaller model, or start the "
                       "gallery with a larger GALLERY_MEMORY_MB.")
    place = _cache()
    free = shutil.disk_usage(place).free
    if offer.bytes + KEPT_FREE > free:
        raise BadInput(f"{offer.name} is {offer.bytes / MB:,.0f} MB, and the disk has {free / MB:,.0f} MB free, of which "
                       f"{KEPT_FREE / MB:,.0f} are to stay so: make room, or choose a smaller model.")


def fetch(offer: Offer, told: Callable[[int], None] = lambda done: None,
          stop: threading.Event | None = None) -> Path:
    """Fetch the files of an offer into the Hub's cache. Blocks; told: bytes so far, from this thread.

    Raises Cancelled once `stop` is set, ModelFault when the line breaks; what is whole is kept for the next attempt.
    """
    from huggingface_hub import hf_hub_download
    meter = _meter(told, stop)
    place = None
    for path, size in sorted(offer.files, key=lambda each: each[1]):
        before = meter.done
        try:
            place = Path(hf_hub_download(offer.name, path, tqdm_class=meter, etag_timeout=ASK_S,
                                         endpoint=_endpoint()))
        except Cancelled:
            raise
        except Exception as fault:
            raise _told(offer.name, fault) from None
        for _ in Path(path).parts:
            place = place.parent
        meter.at(before + size)         # a file that was there already is not counted by anyone else
    if place is None:
        raise ModelFault(f"{offer.name} has no file that is of use here: choose another model.")
    return place


def _meter(told: Callable[[int], None], stop: threading.Event | None) -> Any:
    """A progress bar of the Hub's library that draws nothing, counts over all files, and can be stopped."""
    from huggingface_hub.utils import tqdm

    class Meter(tqdm):
        done = 0

        @classmethod
        def at(cls, done: int) -> None:
            if stop is not None and stop.is_set():
                raise Cancelled("The download was stopped.")
            cls.done = done
            told(done)

        def update(self, n: float | None = 1) -> bool | None:
            self.at(self.done + int(n or 0))
            return None

    return Meter


def _endpoint() -> str | None:
    """Another Hub than the public one, where the host names it as the library's users do."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _cache() -> Path:
    """The nearest folder that is there already, of the Hub's cache."""
    from huggingface_hub.constants import HF_HUB_CACHE
    place = Path(HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    return place


def _told(name: str, fault: Exception) -> BadInput | ModelFault:
    """A sentence for what the Hub's library raised."""
    from huggingface_hub import errors
    if isinstance(fault, errors.GatedRepoError):
        return ModelFault(f"{name} is given only to members who accepted its terms: do so on its page, log in with "
                          "`hf auth login` where the gallery runs, and try again.")
    if isinstance(fault, (errors.RepositoryNotFoundError, errors.HFValidationError, errors.RevisionNotFoundError)):
        return BadInput(f"The Hub has no model {name} that anyone may read: look whether it is spelled right.")
    if isinstance(fault, errors.OfflineModeIsEnabled):
        return ModelFault(f"{name} is not on this machine, and HF_HUB_OFFLINE keeps the gallery from asking the Hub: "
                          "the bundled models work without it.")
    if isinstance(fault, errors.HfHubHTTPError) and fault.response is not None and fault.response.status_code:
        return ModelFault(f"The Hub answered with error {fault.response.status_code} when asked for {name}: "
                          "try again later; the bundled models work meanwhile.")
    log.info("the Hub could not be asked for %s: %r", name, fault)
    return ModelFault(f"The Hub cannot be reached from here, so {name} was not fetched: "
                      "the bundled models work offline.")
