"""Which class a picture is asked for, as it stands in an address."""

from __future__ import annotations

from collections.abc import Callable

from engines.diffusion import NO_LABEL
from gallery.fields import integer

EACH = "each"                        # one of each class, picture after picture


def label(what: str) -> Callable[[str], int | str]:
    """A class by its number, "none", or "each"."""
    inner = integer(what, 0, 9999)

    def read(text: str) -> int | str:
        if text == "none":
            return NO_LABEL
        return EACH if text == EACH else inner(text)
    return read
