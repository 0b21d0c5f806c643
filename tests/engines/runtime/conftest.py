"""An engine of each kind, and model folders of the toy model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from engines import runtime
from engines.runtime import models, trained
from tests.engines.runtime import toy_jobs


@pytest.fixture
def thread() -> Iterator[None]:
    """A fresh engine on a thread of this process."""
    runtime.configure(mode="thread", device="cpu")
    runtime.warm(timeout=30)
    yield
    runtime.configure(mode="thread")


@pytest.fixture
def process() -> Iterator[None]:
    """A fresh engine in a process of its own."""
    runtime.configure(mode="process", device="cpu")
    assert runtime.warm(timeout=60)
    yield
    runtime.configure(mode="thread")


@pytest.fixture
def limited() -> Iterator[Callable[..., None]]:
    """Start an engine on a thread with other limits: limited(running_per_session=1)."""
    def begin(mode: str = "thread", **limits: float) -> None:
        runtime.configure(mode=mode, limits=runtime.Limits(**limits), device="cpu")
        assert runtime.warm(timeout=60)
    yield begin
    runtime.configure(mode="thread")


def make_model(home: Path, name: str, scale: float = 1.0, size: int = 8) -> Path:
    folder = home / name
    folder.mkdir(parents=True)
    save_file({"weight": (scale * np.eye(size)).astype(np.float16)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    trained.write_sums(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with the models toy-a (the identity), toy-b (twice) and toy-c (thrice)."""
    for scale, name in enumerate(("toy-a", "toy-b", "toy-c"), start=1):
        make_model(tmp_path, name, scale)
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    return tmp_path


def until(true: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait until something is true; returns how long it took, fails when it does not come true."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it did not come true in time"
        time.sleep(0.005)
    return time.monotonic() - begun


def numbers(n: int, **more) -> list[int]:
    """A run of `count`, read to its end."""
    return [frame.n for frame in runtime.start(toy_jobs.count, toy_jobs.Count(n, **more))]
