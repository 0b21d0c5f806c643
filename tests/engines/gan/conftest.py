"""What the tests of both games share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engines.runtime import trained


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks of this size are too small to be shared between cores: waiting for each other is all they would do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test trains is kept in a folder of its own."""
    monkeypatch.setenv(trained.FOLDER, str(tmp_path / "trained"))
