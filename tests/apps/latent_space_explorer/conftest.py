"""Small models where the bundled ones would be, for the tools whose tests make their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines import runtime
from engines.runtime import models
from tests.apps.latent_space_explorer.made import small_model


@pytest.fixture(scope="module")
def shelf_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """shelf_of((name, dataset, latent[, kind]), ...) makes these models, and the runtime finds them and no others."""
    with pytest.MonkeyPatch.context() as patch:
        def stock(*wanted: tuple) -> Path:
            home = tmp_path_factory.mktemp("models")
            for each in wanted:
                small_model(home, *each)
            patch.setenv(models.BUNDLED, str(home))
            runtime.stop()
            runtime.configure(mode="thread")
            return home
        yield stock
        runtime.stop()
