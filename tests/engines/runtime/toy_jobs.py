"""Jobs for the tests of the runtime: small, fast, and each bad in one way."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engines.runtime import Job


@dataclass(frozen=True)
class Count:
    n: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Number:
    n: int


def counting(params: Count):
    for n in range(params.n):
        if params.seconds:
            time.sleep(params.seconds)
        yield Number(n)


def failing(params: Count):
    for n in range(params.n):
        yield Number(n)
    raise ZeroDivisionError("a secret path /srv/gallery")


HERE = __name__
count = Job(f"{HERE}:counting", params=Count, frame=Number)
fail = Job(f"{HERE}:failing", params=Count, frame=Number)
