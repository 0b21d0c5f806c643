"""A toy language model in a folder of its own, an engine in a thread, and a server with the room's routes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from apps.temperature_slider import DEMO
from engines.language.gpt2 import GPT2, Shape
from engines.training import language_data as texts
from engines.training.language_report import write_weights
from gallery.rooms import data_app
from tests.apps.served import served

CONTEXT = 64
VOCABULARY = 280


def make_model(folder: Path) -> None:
    """A random GPT-2 of two layers over byte pairs of three sentences, in the layout of the bundled models."""
    torch.manual_seed(0)
    tokenizer = texts.byte_pairs(iter(["Ann saw Bob.", "Bob saw the cat.", "the cat saw Ann. Élise saw them all."] * 20), VOCABULARY)
    size = tokenizer.get_vocab_size()
    net = GPT2(Shape(size, CONTEXT, 16, 2, 2)).eval()
    about = {"name": folder.name, "family": "language", "parameters": 1234, "measured": {"bits_per_character": {"toy": 3.0}}}
    folder.mkdir(parents=True)
    (folder / "MODEL_CARD.md").write_text("# A toy\n")
    write_weights(net, tokenizer, folder, "float16", about)


@pytest.fixture(scope="package")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    for name in DEMO.models:
        make_model(home / name)
    return home


@pytest.fixture(autouse=True)
def bundled(toy_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_BUNDLED", str(toy_models))


@pytest.fixture
def place() -> Iterator[str]:
    """Address of a server with the room's routes as the hub mounts them, and an engine in a thread."""
    from apps.temperature_slider import delivery

    with served(data_app(delivery.routes())) as address:
        yield address
