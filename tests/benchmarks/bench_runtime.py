"""The runtime's price and its gain, as medians of ratios over interleaved repeats; nothing is asserted.

Where there are two cores, hub and engine are kept on one each, and the bare generator runs on the engine's:
otherwise a busy machine would decide which of the two is measured on the slower one.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from engines import runtime, vae
from tests.benchmarks.ledger import Row, record
from tests.benchmarks.rates import ENGINE, HUB, engine_process, keep_on, rate, ratio
from tests.engines.runtime import toy_engine
from tests.engines.runtime import toy_jobs as toys

FRAMES = 300
VISITORS = 16
EACH = 12           # decodings by each visitor
MODEL = "vae-mnist-2d"

engine = pytest.fixture(scope="module", autouse=True)(engine_process)


@pytest.mark.parametrize("milliseconds", [1, 4])
def test_frames_through_scheduler_and_process(milliseconds: int) -> None:
    def products(count: int) -> toys.Count:
        return toys.Count(FRAMES, at=count)

    def bare(params: toys.Count) -> float:
        keep_on(os.getpid(), ENGINE)
        try:
            return rate(FRAMES, lambda: sum(1 for _ in toy_engine.grinding(params)))
        finally:
            keep_on(os.getpid(), HUB)
    for _ in range(3):
        one = FRAMES / bare(products(20)) / FRAMES / 20             # seconds for one product
    params = products(max(1, round(milliseconds / 1000 / one)))
    ours, theirs, share = ratio(lambda: rate(FRAMES, lambda: sum(1 for _ in runtime.start(toys.grind, params))),
                                lambda: bare(params))
    record(Row(f"frames through scheduler and process boundary, steps of about {milliseconds} ms",
               "the bare generator in a loop", f"{share:.2f}× ({ours:.0f} against {theirs:.0f} /s)", "≥ 0.9×",
               share >= 0.9))


def test_visitors_decoding_at_once() -> None:
    def decode(visitor: int, turn: int) -> runtime.Run:
        z = (visitor / VISITORS - 0.5, turn / EACH - 0.5)
        return runtime.start(vae.decode, vae.Decode(MODEL, (z,)), session=str(visitor))

    def in_turn() -> None:
        for turn in range(EACH):
            for visitor in range(VISITORS):
                decode(visitor, turn).result()

    async def visit(visitor: int) -> None:
        for turn in range(EACH):
            await decode(visitor, turn).aresult()

    async def together() -> None:
        await asyncio.gather(*(visit(visitor) for visitor in range(VISITORS)))
    count = VISITORS * EACH
    in_turn()
    ours, theirs, share = ratio(lambda: rate(count, lambda: asyncio.run(together())), lambda: rate(count, in_turn))
    record(Row("16 visitors decoding at once", "the same decodings one after another",
               f"{share:.1f}× ({ours:.0f} against {theirs:.0f} /s)", "≥ 3×", share >= 3))
