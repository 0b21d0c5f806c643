"""The bundled pictures, and how they are laid out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import data
from engines.runtime import BadInput


@pytest.mark.parametrize("name, split, count, shape", [
    ("mnist", "test", 10_000, (28, 28, 1)), ("mnist", "train", 10_000, (28, 28, 1)),
    ("fashion", "test", 10_000, (28, 28, 1)), ("fashion", "train", 5_000, (28, 28, 1)),
    ("emoji", "test", 1_601, (64, 64, 3)),
])
def test_every_set_is_as_it_says(name: str, split: str, count: int, shape: tuple) -> None:
    pictures, about = data.load(name, split), data.about(name)
    assert pictures.images.shape == (count, *shape) and pictures.images.dtype == np.uint8
    assert pictures.labels.shape == (count,) and pictures.labels.max() == len(pictures.names) - 1
    assert about["source"] and about["licence"] and about["splits"][split]["count"] == count
    assert not pictures.images.flags.writeable
    if split == "train":
        assert len(set(np.bincount(pictures.labels))) == 1                  # as many of every class
    if name == "emoji":
        assert len(pictures.titles) == len(pictures.symbols) == len(pictures.keywords) == count
        assert pictures.titles[0] == "grinning face" and "smile" in pictures.keywords[0]


def test_the_test_sets_are_the_known_ones() -> None:
    """Class counts of the published test sets."""
    assert np.bincount(data.load("mnist").labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(data.load("fashion").labels).tolist() == [1000] * 10
    assert data.load("mnist").labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


@given(st.integers(1, 30), st.integers(1, 7), st.sampled_from([1, 3]))
def test_a_sheet_can_be_cut_into_what_it_was_made_of(count: int, columns: int, channels: int) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory
    from PIL import Image
    images = np.random.default_rng(count).integers(0, 256, (count, 4, 6, channels), dtype=np.uint8)
    sheet = data.sheet(images, columns)
    with TemporaryDirectory() as folder:
        Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet).save(Path(folder) / "s.webp", lossless=True)
        assert np.array_equal(data._cut(Path(folder) / "s.webp", count, (4, 6, channels)), images)


def test_unknown_names_are_refused_in_one_sentence() -> None:
    with pytest.raises(BadInput, match="mnist, fashion, emoji: choose"):
        data.load("cifar")
    with pytest.raises(BadInput, match="has train, test"):
        data.load("mnist", "validation")
