"""The engine process: the scheduler on its main thread, one thread to listen, one to speak.

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
from engines.runtime.links import ignore_interrupts
from engines.runtime.scheduler import Scheduler

_BEAT = 1.0             # seconds of silence before a sign of life
_SWITCH = 0.001         # seconds until another thread may take the interpreter: an acknowledged frame should not wait


class Voice:
    """Packs what the scheduler says and writes it on a thread of its own, so that a slow hub never holds up a step."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.scheduler: Scheduler | None = None
        self._thread = threading.Thread(target=self._speak, name="voice", daemon=True)
        self._thread.start()

    def say(self, message: Any) -> None:
        """Raises what pickling raises: a frame that cannot be sent is a defect of its job."""
        self._queue.put(wire.pack(message))
        if isinstance(message, wire.Hello):     # torch is imported: a collection need not look at it ever again
            gc.collect()
            gc.freeze()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(2.0)

    def _speak(self) -> None:
        while True:
            try:
                packed = [self._queue.get(timeout=_BEAT)]
            except queue.Empty:
                packed = [wire.pack(self._beat())]
            while not self._queue.empty():
                packed.append(self._queue.get())
            last = None in packed
            try:
                wire.write(self._stream, [each for each in packed if each is not None])
            except OSError:
                leave()
            if last:
                return

    def _beat(self) -> wire.Beat:
        step = self.scheduler.step if self.scheduler else None
        return wire.Beat(step[0], time.monotonic() - step[1]) if step else wire.Beat(0, 0.0)


def listen(stream: BinaryIO, scheduler: Scheduler) -> None:
    try:
        while True:
            scheduler.submit(wire.unpack(wire.read(stream)))
    except (EOFError, OSError):
        leave()


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
    ignore_interrupts()
    sys.setswitchinterval(_SWITCH)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s engine: %(message)s")
    commands, answers = streams()
    voice = Voice(answers)
    scheduler = Scheduler(voice.say, Limits(**start["limits"]), start["device"])
    voice.scheduler = scheduler
    threading.Thread(target=listen, args=(commands, scheduler), name="ears", daemon=True).start()
    try:
        scheduler.run()
    finally:
        voice.close()
