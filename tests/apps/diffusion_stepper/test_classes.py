"""Many classes in few groups."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.diffusion_stepper import classes


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ddpm-emoji").mkdir()
    (tmp_path / "ddpm-emoji" / "config.json").write_text(json.dumps({
        "name": "ddpm-emoji", "family": "diffusion", "dataset": "emoji", "image": [32, 32, 3],
        "classes": ["face-smiling", "food-fruit", "face-tongue", "nobody-knows"]}))
    monkeypatch.setenv("GALLERY_BUNDLED", str(tmp_path))


def test_classes_stand_in_their_groups_each_with_a_symbol(colours: None) -> None:
    groups = {group["name"]: group["classes"] for group in classes.grouped("ddpm-emoji")}
    assert list(groups) == ["Smileys & Emotion", "Food & Drink", classes.OTHERS]
    assert [(number, name) for number, name, _ in groups["Smileys & Emotion"]] == [(0, "face-smiling"), (2, "face-tongue")]
    assert groups["Smileys & Emotion"][0][2] == "😀"


def test_digits_belong_to_no_groups() -> None:
    assert classes.grouped("ddpm-mnist") == []
