"""The table of results: one row for each thing measured, kept in RESULTS.md and replaced when measured again."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Results

Each row is a ratio (or a level) taken in one run on one machine, ours against the baseline named, by
`make bench`. A bar is what the project asks of itself; nothing here is asserted by a test.

| what | baseline | measured | bar | met | machine | date |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """what: the thing measured, unique in the table. measured: with unit, as "0.97× (512 against 528 /s)"."""

    what: str
    baseline: str
    measured: str
    bar: str
    met: bool
    machine: str = ""

    def line(self) -> str:
        cells = (self.what, self.baseline, self.measured, self.bar, "yes" if self.met else "**no**",
                 self.machine or machine(), date.today().isoformat())
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, no accelerator"


def record(row: Row) -> None:
    """Put the row into RESULTS.md in place of the one of the same name, else at the end of the table."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else HEAD.splitlines()
    start = f"| {row.what.replace('|', '/')} |"
    kept = [row.line() if line.startswith(start) else line for line in lines]
    if row.line() not in kept:
        last = max(index for index, line in enumerate(kept) if line.startswith("|"))
        kept.insert(last + 1, row.line())
    RESULTS.write_text("\n".join(kept) + "\n")
    print("\n" + row.line())
