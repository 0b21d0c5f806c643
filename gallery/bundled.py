"""The models of one kind among those that are installed: what a room offers of its own, and what it says of any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engines.runtime import BadInput, ModelFault, VisitorError, models


@dataclass(frozen=True)
class Kind:
    """name: as a sentence calls such a model. default: shown where none is asked for. mine: is a config.json of this kind?"""

    name: str
    default: str
    mine: Callable[[Mapping[str, Any]], bool]

    def config(self, model: str) -> dict[str, Any]:
        """A model's config.json. Raises BadInput or ModelFault, with a sentence, where there is no such model."""
        try:
            path = models.folder(model) / "config.json"
        except BadInput:            # the runtime would name models that this room cannot show
            known = ", ".join(each["name"] for each in self.installed()) if model != self.default else ""
            raise BadInput(f"There is no {self.name} named {model[:40]!r}: choose one of {known or 'those that are installed'}.") from None
        if not path.is_file():
            raise ModelFault(f"The file config.json of {model} is missing: choose another model.")
        found = _read(path, path.stat().st_mtime_ns)
        if not self.mine(found):
            raise ModelFault(f"{model} is no {self.name}: choose another one.")
        return {**found, "name": model}

    def installed(self, told: Callable[[str], dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """What is told of each model of this kind, by name; its config by itself. A broken folder is left out."""
        found = []
        for name in models.names():
            try:
                found.append((told or self.config)(name))
            except VisitorError:                              # another kind of model, or a damaged one
                continue
        return found


@lru_cache(maxsize=128)
def _read(path: Path, changed: int) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as fault:
        raise ModelFault(f"The file {path.name} of {path.parent.name} cannot be read: choose another model.") from fault
