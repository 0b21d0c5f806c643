"""The engine process: the scheduler on its main thread, beside it threads that only wait for the hub.

It ends when it is told to, and when the hub is gone: its stdin ends then, however the hub ended.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import shutil
import sys
import threading
import time
from typing import Any, BinaryIO

from engines.runtime import trained, wire
from engines.runtime.limits import Limits
from engines.runtime.pipes import Inlet, Outlet
from engines.runtime.scheduler import Scheduler

_BEAT = 1.0             # seconds of silence before a sign of life
_SELDOM = 10_000, 20, 50    # collections: a full one looks at every object of torch; without any, 4 % more steps
_SWITCH = 0.001         # seconds until another thread may take the interpreter: an acknowledged frame should not wait


class Voice:
    """Says to the hub what the scheduler has to say, and each second of silence that it is still there."""

    def __init__(self, stream: BinaryIO) -> None:
        self.scheduler: Scheduler | None = None
        self._outlet = Outlet(stream, gone=self._left, idle=self._beat, idle_s=_BEAT)
        self._closing = False

    def say(self, message: Any) -> None:
        """Raises what pickling raises: a frame that cannot be sent is a defect of its job."""
        self._outlet.put(wire.pack(message))
        if isinstance(message, wire.Hello):     # torch is imported: a collection need not look at it ever again
            gc.collect()
            gc.freeze()
        elif isinstance(message, wire.Residents):   # a model came or went, and may hold itself in a ring
            gc.collect()

    def close(self) -> None:
        self._closing = True
        self._outlet.close(2.0)

    def _left(self) -> None:
        if not self._closing:
            leave()

    def _beat(self) -> None:
        step = self.scheduler.step if self.scheduler else None
        self.say(wire.Beat(step[0], time.monotonic() - step[1]) if step else wire.Beat(0, 0.0))


def listen(stream: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            inbox.put(wire.unpack(wire.read(stream)))
    except (EOFError, OSError):
        leave()


def ears(stream: BinaryIO) -> Any:
    """The scheduler's inbox: the pipe itself; where a pipe cannot be polled (Windows), a queue that a thread fills."""
    if os.name == "posix":
        return Inlet(stream, gone=leave)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(stream, inbox), name="ears", daemon=True).start()
    return inbox


def leave() -> None:
    """End at once: the hub is gone, and nobody is left to read."""
    if os.environ.get(trained.OWNED):
        shutil.rmtree(os.environ.get(trained.FOLDER, ""), ignore_errors=True)
    os._exit(0)


def streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes, moved out of the way of anything that prints: stdout becomes stderr, stdin nothing."""
    commands = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return commands, answers


def main(start: dict[str, Any]) -> None:
    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(*_SELDOM)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s engine: %(message)s")
    commands, answers = streams()
    voice = Voice(answers)
    scheduler = Scheduler(voice.say, Limits(**start["limits"]), start["device"], ears(commands))
    voice.scheduler = scheduler
    try:
        scheduler.run()
    finally:
        voice.close()
