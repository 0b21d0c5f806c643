"""Model folders on disk, and the models resident in memory.

Finding and checking a folder needs no torch, so the hub and the apps use this module too.
Loading happens on the engine's thread only: from_pretrained is not thread-safe.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import math
import os
import re
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.runtime import hub, trained
from engines.runtime.contract import ModelRef
from engines.runtime.errors import BadInput, ModelFault, OutOfMemory, VisitorError

log = logging.getLogger(__name__)

BUNDLED = "GALLERY_BUNDLED"     # another place for the bundled models, for packagers and tests
SUMS = "SHA256SUMS"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TOKEN = re.compile(r"trained/([0-9a-f]{16})")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_ELEMENT = 4                    # bytes of one number in memory: weights are kept as fp16 on disk, fp32 at work
MB = 2**20


# --- folders -----------------------------------------------------------------------------------------------------

def bundled() -> Path:
    """The folder of the models that come with the gallery."""
    place = os.environ.get(BUNDLED, "")
    return Path(place) if place else Path(__file__).resolve().parents[2] / "assets" / "models"


def names() -> tuple[str, ...]:
    """Names of the bundled models, sorted."""
    home = bundled()
    return tuple(sorted(path.parent.name for path in home.glob("*/config.json"))) if home.is_dir() else ()


def folder(name: str) -> Path:
    """The folder of a model: "vae-mnist-2d", "trained/<token>", "folder:<name>", or "owner/model" of the Hub.

    Raises BadInput for a name that is none, ModelFault for a trained model that has been cleared away, or one of
    the Hub that has not been fetched.
    """
    token = _TOKEN.fullmatch(name)
    if token:
        place = trained.root() / token[1]
        if not place.is_dir():
            raise ModelFault("That trained model has been cleared away to make room: train it again.")
        return place
    if hub.is_own(name):
        return hub.own_folder(name)
    if hub.is_id(name):
        return hub.fetched_folder(name)
    if not _NAME.fullmatch(name) or not (bundled() / name).is_dir():
        known = names()
        few = ", ".join(known[:12]) or "none is installed"
        raise BadInput(f"There is no model named {name[:40]!r}; there are {len(known)}: choose one of {few}.")
    return bundled() / name


def shown(path: Path) -> str:
    """A path as a visitor may read it: the model's folder and the file."""
    return "/".join(path.parts[-2:])


def published(name: str) -> bool:
    """Whether a model comes with checksums: bundled, or trained here."""
    return not hub.is_own(name) and not hub.is_id(name)


def check_whole(place: Path) -> None:
    """Of a folder without checksums: every safetensors file is whole. Raises ModelFault naming the first that is not."""
    for path in sorted([*place.glob("*.safetensors"), *place.glob("*/*.safetensors")]):
        elements(path)


def check(place: Path) -> None:
    """Hold every file of a model's folder against its SHA256SUMS. Raises ModelFault naming the first that differs."""
    pickles = [path for path in place.rglob("*") if path.suffix in PICKLES]
    if pickles:
        raise ModelFault(f"{shown(pickles[0])} is in a format that can run code when it is read; "
                         "only safetensors files are loaded here: convert it.")
    try:
        listed = (place / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ModelFault(f"{shown(place / SUMS)} is missing or cannot be read: "
                         "fetch the model's folder again.") from None
    for line in listed:
        expected, _, name = line.partition("  ")
        path = place / name
        if not path.is_file():
            raise ModelFault(f"{shown(path)} is missing: fetch the model's folder again.")
        if path.suffix == ".safetensors":
            elements(path)      # says that a file is truncated, which a checksum cannot
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise ModelFault(f"{shown(path)} is not the file that was published (its checksum differs): "
                             "fetch the model's folder again.")


def elements(path: Path) -> int:
    """How many numbers a safetensors file holds, read from its header. Raises ModelFault when it is cut short."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        if 8 + length > size:
            raise ModelFault(f"{shown(path)} is truncated: it has {size} bytes, "
                             "less than its own header: fetch it again.")
        try:
            header = json.loads(file.read(length))
            tensors = [entry for key, entry in header.items() if key != "__metadata__"]
            expected = 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0)
            count = sum(math.prod(entry["shape"]) for entry in tensors)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelFault(f"{shown(path)} is no safetensors file: fetch it again.") from None
    if size != expected:
        raise ModelFault(f"{shown(path)} is truncated: it has {size} bytes where its header promises {expected}: "
                         "fetch it again.")
    return count


# --- memory ------------------------------------------------------------------------------------------------------

@dataclass
class Resident:
    module: Any                 # torch.nn.Module
    bytes: int
    leases: int = 0
    used: float = 0.0


class Residents:
    """Models in memory: leased while a run needs them, evicted least-recently-used when room is wanted.

    Used on the engine's thread only. budget: bytes for weights and working memory together.
    """

    def __init__(self, device: Any, budget: int) -> None:
        self.device = device
        self.budget = budget
        self.reserved = 0       # bytes of working memory promised to open runs
        self._held: dict[ModelRef, Resident] = {}

    def listed(self) -> tuple[tuple[str, int], ...]:
        """(name, bytes), last used first."""
        order = sorted(self._held.items(), key=lambda item: -item[1].used)
        return tuple((ref.name, resident.bytes) for ref, resident in order)

    def leases(self) -> int:
        return sum(resident.leases for resident in self._held.values())

    def has(self, refs: tuple[ModelRef, ...]) -> bool:
        return all(ref in self._held for ref in refs)

    def lease(self, refs: tuple[ModelRef, ...], working: int = 0) -> tuple[Any, ...] | None:
        """Load what is missing and hold all of it. None: not enough memory now, but some will be given back.

        Raises ModelFault, BadInput, or OutOfMemory when it can never fit. On any of these nothing is held.
        """
        if not self._fits(refs, working):
            return None
        leased: list[ModelRef] = []
        try:
            for ref in refs:
                if ref not in self._held:
                    self._held[ref] = self._load(ref)
                self._held[ref].leases += 1
                leased.append(ref)
        except BaseException:
            self._give(leased)
            raise
        self.reserved += working
        return tuple(self._held[ref].module for ref in refs)

    def release(self, refs: tuple[ModelRef, ...], working: int = 0) -> None:
        self._give(refs)
        self.reserved -= working

    def warm(self, refs: tuple[ModelRef, ...]) -> None:
        """Load what is missing, as far as it fits and is sound: whoever asks for the rest will be told why."""
        for ref in refs:
            try:
                if self.lease((ref,)) is not None:
                    self.release((ref,))
            except Exception:
                log.exception("%s could not be warmed", ref.name)

    def _give(self, refs: Any) -> None:
        for ref in refs:
            resident = self._held[ref]
            resident.leases -= 1
            resident.used = time.monotonic()

    def evict_idle(self) -> int:
        """Drop every model that no run holds. Returns the bytes given back."""
        idle = [ref for ref, resident in self._held.items() if not resident.leases]
        return sum(self._held.pop(ref).bytes for ref in idle)

    def _fits(self, refs: tuple[ModelRef, ...], working: int) -> bool:
        new = {ref: self._estimate(ref) for ref in refs if ref not in self._held}
        held = sum(resident.bytes for resident in self._held.values())
        excess = held + self.reserved + working + sum(new.values()) - self.budget
        if excess <= 0:
            return True
        idle = sorted((resident.used, ref.name, ref) for ref, resident in self._held.items()
                      if not resident.leases and ref not in refs)
        for _, _, ref in idle:
            if excess <= 0:
                break
            excess -= self._held.pop(ref).bytes
        if excess <= 0:
            return True
        if self.reserved or self.leases():
            return False        # a run that ends gives memory back
        wanted = sum(new.values()) + working + sum(self._held[ref].bytes for ref in refs if ref in self._held)
        raise OutOfMemory(f"This needs {wanted / MB:.0f} MB, and the gallery may use {self.budget / MB:.0f} MB here: "
                          "choose a smaller model, or start the gallery with a larger GALLERY_MEMORY_MB.")

    def _estimate(self, ref: ModelRef) -> int:
        """Bytes the weights will take, from the headers of the weight files (codes are data, not weights)."""
        weights = [path for path in folder(ref.name).rglob("*.safetensors") if path.name != "codes.safetensors"]
        return sum(elements(path) for path in weights) * _ELEMENT

    def _load(self, ref: ModelRef) -> Resident:
        place = folder(ref.name)
        (check if published(ref.name) else check_whole)(place)
        package, _, function = ref.loader.partition(":")
        loader = getattr(importlib.import_module(package), function)
        try:
            module = loader(place)
        except VisitorError:
            raise
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            from engines.runtime.device import out_of_memory
            if out_of_memory(error):
                raise
            log.exception("the model %s could not be loaded", ref.name)
            raise ModelFault(f"The model {ref.name} could not be read: its files do not fit this version of the "
                             "gallery: fetch the folder again.") from None
        module = module.to(self.device)
        tensors = [*module.parameters(), *module.buffers()]
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return Resident(module, size, used=time.monotonic())
