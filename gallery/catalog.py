"""Find the demos by scanning apps/*, check each against the contract, and keep a broken one from harming the rest."""

from __future__ import annotations

import importlib
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gallery import conformance
from gallery.demo import Demo
from gallery.milestones import MILESTONES, Milestone, by_key

ROOT = Path(__file__).resolve().parents[1]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One folder under apps/. demo is None where it could not be imported; faults are sentences."""

    slug: str
    folder: Path
    demo: Demo | None
    faults: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        return f"{self.folder.parent.name}.{self.folder.name}"

    @property
    def works(self) -> bool:
        return self.demo is not None and not self.faults

    @property
    def title(self) -> str:
        return self.demo.title if self.demo else self.slug.replace("-", " ").capitalize()

    @property
    def milestone(self) -> str:
        return self.demo.milestone if self.demo else ""


@dataclass(frozen=True)
class Door:
    """A place on the timeline: its milestone, and the demo that hangs there, if there is one yet."""

    milestone: Milestone
    entry: Entry | None


def folders(apps: Path = ROOT / "apps") -> list[Path]:
    """The folders that hold a demo: a package, its name not private."""
    return sorted(path for path in apps.iterdir() if (path / "__init__.py").is_file() and not path.name.startswith("_"))


def entries(apps: Path = ROOT / "apps") -> list[Entry]:
    """Every demo under `apps` in the order of the timeline, broken ones included; raises nothing on their account."""
    keys = [milestone.key for milestone in MILESTONES]
    found = [_entry(folder) for folder in folders(apps)]
    return sorted(found, key=lambda entry: keys.index(entry.milestone) if entry.milestone in keys else len(keys))


def find(slug: str, apps: Path = ROOT / "apps") -> Entry | None:
    return next((entry for entry in entries(apps) if entry.slug == slug), None)


def onward(found: list[Entry], slug: str) -> Entry | None:
    """The next open room along the timeline, for the link at the top of a demo's page; None after the last."""
    hung = [entry for entry in found if by_key(entry.milestone)]
    at = next((at for at, entry in enumerate(hung) if entry.slug == slug), len(hung))
    return next((entry for entry in hung[at + 1:] if entry.works), None)


def hang(found: list[Entry]) -> tuple[list[Door], list[Entry]]:
    """The doors of the timeline in their order, and the demos that are no milestone."""
    doors = [Door(milestone, next((entry for entry in found if entry.milestone == milestone.key), None))
             for milestone in MILESTONES]
    hung = {door.entry.slug for door in doors if door.entry}
    return doors, [entry for entry in found if entry.slug not in hung]


def check(slug: str, apps: Path = ROOT / "apps") -> list[str]:
    """Every fault of a demo, each one sentence. Slow: it imports, parses and reads all model files."""
    entry = find(slug, apps)
    if entry is None:
        return [f"there is no demo {slug!r}"]
    if entry.demo is None:
        return [*entry.faults, *conformance.import_faults(entry.package, entry.folder)]
    return conformance.all_faults(entry.demo, entry.folder)


def load(entry: Entry, module: str = "") -> ModuleType:
    """The demo's package, or a module in it ("app")."""
    return importlib.import_module(f"{entry.package}.{module}" if module else entry.package)


def _entry(folder: Path) -> Entry:
    slug = folder.name.replace("_", "-")
    if str(folder.parent.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent.parent))
    try:
        demo = importlib.import_module(f"{folder.parent.name}.{folder.name}").DEMO
    except Exception as error:          # a demo may fail in any way it likes: the hub must not
        log.exception("the demo %s could not be imported", slug)
        return Entry(slug, folder, None, (f"it could not be imported ({type(error).__name__})",))
    if not isinstance(demo, Demo):
        return Entry(slug, folder, None, (f"DEMO is a {type(demo).__name__}; it has to be a gallery.demo.Demo",))
    return Entry(slug, folder, demo, tuple(conformance.cheap_faults(demo, folder)))
