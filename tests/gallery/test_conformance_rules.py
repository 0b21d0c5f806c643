"""Each rule of the conformance check catches what it is there for, and passes what is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery import catalog
from tests.gallery.rooms import LESSON, THUMBNAIL, apps_folder, manifest, sound


def faults(place: Path, files: dict[str, str], **more: str) -> list[str]:
    apps = apps_folder(place, {"trial": {**files, **more}})
    return catalog.check("trial", apps)


def test_a_sound_demo_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, sound()) == []


@pytest.mark.parametrize("files, told", [
    ({**sound(), "__init__.py": manifest(title="x" * 61)}, "title has 61 characters"),
    ({**sound(), "__init__.py": manifest(sentence="")}, "sentence has 0 characters"),
    ({**sound(), "__init__.py": manifest(milestone="abacus")}, "'abacus'"),
    ({**sound(), "__init__.py": manifest(framework="tk")}, "'tk'"),
    ({"__init__.py": manifest(), "lesson.md": LESSON}, "no app.py"),
    ({"__init__.py": manifest(), "app.py": ""}, "no lesson.md"),
    ({**sound(), "lesson.md": "## How it works\n"}, "'Sources'"),
    ({**sound(), "__init__.py": "import plotly\n" + manifest()}, "also imports plotly"),
    ({**sound(), "__init__.py": manifest().replace('"n": "1"', '"n": "7"')}, "refused: n is 7"),
    ({**sound(), "__init__.py": manifest().replace("[] if n in", "[] if True or n in")}, "without a word"),
    ({**sound(), "__init__.py": manifest().replace("return {", "return 1 / 0, {")}, "parse raised ZeroDivisionError"),
    ({**sound(), "__init__.py": manifest().replace("def parse", "def other")}, "no parse(query)"),
    ({**sound(), "__init__.py": manifest(milestone="gan")}, "no thumbnail"),
    ({**sound(), "__init__.py": manifest(thumbnail="nowhere:make")}, "cannot be imported"),
    ({**sound(), "__init__.py": manifest().replace("thumbnail=''", "models=('none-such',)")}, "none-such has no config.json"),
    ({**sound(), "__init__.py": manifest().replace("thumbnail=''", "engine='engines/none.py'")}, "engines/none.py is not there"),
])
def test_each_fault_is_told(tmp_path: Path, files: dict[str, str], told: str) -> None:
    found = faults(tmp_path, files)
    assert any(told in fault for fault in found), found


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, {"__init__.py": manifest(title="", sentence="", framework="tk")})) >= 4


def test_a_thumbnail_has_to_be_awaited(tmp_path: Path) -> None:
    apps = apps_folder(tmp_path, {"trial": {**sound(), "thumbnail.py": THUMBNAIL}})
    source = sound(thumbnail=f"{apps.name}.trial.thumbnail:not_async")["__init__.py"]
    (apps / "trial" / "__init__.py").write_text(source)
    assert any("async" in fault for fault in catalog.check("trial", apps))


def test_nobody_is_found_under_a_name_that_is_none() -> None:
    assert catalog.check("none-such") == ["there is no demo 'none-such'"]
