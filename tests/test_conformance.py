"""Every demo keeps the contract; every fault is listed at once."""

from __future__ import annotations

import pytest

from gallery.catalog import check, entries

SLUGS = [entry.slug for entry in entries()]


def test_the_catalog_is_not_empty() -> None:
    assert {"latent-space-explorer", "lab-book"} <= set(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_demo_conforms(slug: str) -> None:
    assert check(slug) == []
