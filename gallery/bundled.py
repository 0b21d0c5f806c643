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
    """name: as a sentence calls such a model. mine: is a config.json of this kind?"""

    name: str
    mine: Callable[[Mapping[str, Any]], bool]

    def config(self, model: str) -> dict[str, Any]:
        """A model's config.json. Raises BadInput or ModelFault, with a sentence, where there is no such model."""
        try:
            found = _config(model)
        except BadInput:            # the runtime would name models that this room cannot show
            raise BadInput(f"There is no {self.name} named {model[:40]!r}: {self._choice()}") from None
        if not self.mine(found):
            raise ModelFault(f"{model} is no {self.name}: {self._choice()}")
        return {**found, "name": model}

    def _choice(self) -> str:
        return f"choose one of {', '.join(each['name'] for each in self.installed()) or 'those that are installed'}."

    def installed(self, told: Callable[[str], dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """What is told of each model of this kind, by name; its config by itself. A broken folder is left out."""
        found = []
        for name in models.names():
            try:
                config = _config(name)
                if self.mine(config):
                    found.append(told(name) if told else {**config, "name": name})
            except VisitorError:                              # a damaged one
                continue
        return found


def _config(model: str) -> dict[str, Any]:
    if not models.published(model):
        raise BadInput("It is from elsewhere, and a room that takes such models knows them by another way.")
    path = models.folder(model) / "config.json"
    if not path.is_file():
        raise ModelFault(f"The file config.json of {model} is missing: choose another model.")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=128)
def _read(path: Path, changed: int) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as fault:
        raise ModelFault(f"The file {path.name} of {path.parent.name} cannot be read: choose another model.") from fault


def chosen(query: Mapping[str, str], default: str, told: Callable[[str], Any], faults: list[str], key: str = "model",
           instead: str = "") -> str:
    """The model that a query names, or the default, with a sentence in `faults` where it cannot be shown.

    told: raises VisitorError for such a model. instead: what the page shows then, if not the default.
    """
    name = query.get(key, "")
    if not name:
        return default
    try:
        told(name)
    except VisitorError as fault:
        faults.append(f"The page shows {instead or default} instead of {name[:40]!r}. {fault}")
        return default
    return name
