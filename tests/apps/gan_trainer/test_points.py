"""A visitor's own points, drawn or uploaded."""

from __future__ import annotations

import numpy as np
import pytest

from apps.gan_trainer import points
from engines.gan import plane
from engines.runtime import BadInput

EIGHT = "\n".join(f"{k},{k * k}" for k in range(8))


@pytest.mark.parametrize("text, count", [
    (EIGHT, 8), ("x,y\n" + EIGHT, 8), (EIGHT.replace(",", ";"), 8), (EIGHT.replace(",", "\t"), 8), (EIGHT.replace(",", " "), 8),
    (EIGHT + "\n\n\n", 8), ("\n".join(f"{k};{k},5;rest" for k in range(9)), 9),
])
def test_a_table_of_numbers_is_read(text: str, count: int) -> None:
    found, said = points.table(text.encode())
    assert found.shape == (count, 2) and found.dtype == np.float32
    assert found[2, 0] == 2.0 and f"{count} points" in said


@pytest.mark.parametrize("data, said", [
    (b"", "holds 0 points; it takes 8 or more"), (b"1,2", "holds 1 point; it takes 8 or more"),
    (b"once upon a time\nthere was a table\n", "Line 2 of the file is"), (b"1,2\n3\n", "Line 2"), (b"\xff\xfe\x00", "no text in UTF-8"),
    (b"1,2\n" * 9, "one and the same place"), (b"1,nan\n2,3\nnan,4\n", "Line 3"), (b"1,1e38\n" + b"2,3\n" * 9, "limit is 1e30"),
    (b"0" * 13_000_000, "12 MB: give a sample"),
])
def test_what_is_no_data_is_said(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        points.table(data)


def test_a_million_points_are_thinned_and_it_is_said() -> None:
    many = "".join(f"{k},{k % 7}\n" for k in range(200_000)).encode()
    found, said = points.table(many)
    assert len(found) == plane.MAX_POINTS and "200,000 points read; every 10th is used" in said
    assert found[0, 0] == 0 and found[-1, 0] == 199_999


@pytest.mark.parametrize("given", [None, [], [[1]], [[1, 2, 3]], [["a", "b"]], "abc", [[float("nan"), 1]], [[10**400, 1]]])
def test_damaged_points_of_a_page_are_refused(given: object) -> None:
    with pytest.raises(BadInput, match="no points yet|arrived damaged"):
        points.shape({"data": "own", "points": given})
