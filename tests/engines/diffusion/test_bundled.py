"""The models that come with the gallery: whole, as good as they say, and as good as they must be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engines import data
from engines.diffusion import classifier
from engines.runtime import models
from engines.training.classifier import accuracy

pytestmark = pytest.mark.real

ACCURACY = {"classifier-mnist": 0.99, "classifier-fashion": 0.91}


@pytest.mark.parametrize("name", ACCURACY)
def test_a_classifier_is_as_good_as_it_says_and_as_it_must_be(name: str) -> None:
    folder = models.folder(name)
    models.check(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    test = data.load(config["dataset"])
    chosen = np.arange(0, len(test.images), 5)
    found = accuracy(classifier.load(folder), data.padded(test.images[chosen]), test.labels[chosen])
    assert config["measured"]["pictures"] == 10_000 and config["measured"]["accuracy"] >= ACCURACY[name]
    assert found == pytest.approx(config["measured"]["accuracy"], abs=0.02)
    assert config["classes"] == data.about(config["dataset"])["classes"]
