"""A server with the room's routes as the hub mounts them, and an engine in a thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gallery.rooms import data_app
from tests.apps.served import served


@pytest.fixture
def place() -> Iterator[str]:
    from apps.gan_trainer import delivery

    with served(data_app(delivery.routes())) as address:
        yield address
