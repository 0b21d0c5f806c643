"""Driving a job by itself, without a runtime."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch

from engines.runtime.contract import Forward


def run_alone(steps: Generator[Any, Any, None]) -> list[Any]:
    """Drive a job without a runtime: every request is answered by itself. Gives the frames."""
    frames, answer = [], None
    try:
        while True:
            said = steps.send(answer)
            answer = None
            if isinstance(said, Forward):
                with torch.inference_mode():
                    answer = said.function(*said.args, **dict(said.options))
            elif said is not None:
                frames.append(said)
    except StopIteration:
        return frames
