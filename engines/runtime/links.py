"""The two ways to an engine: a process of its own, or a thread in this one. Both run the same Scheduler."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from engines.runtime import wire
from engines.runtime.limits import Limits
from engines.runtime.pipes import Outlet

log = logging.getLogger(__name__)

# Threads that spin while they wait for each other lose ten times over on a machine that has other things to do.
_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
# Ctrl-C in a terminal goes to every process of a group; the hub alone decides what it means. In a group of its own
# the engine is out of its way from its first moment, before it could ask to be.
_APART: dict[str, Any] = {"process_group": 0} if os.name == "posix" else \
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
_PATIENCE = 3.0     # seconds an engine is given to end its runs before it is killed


class ProcessLink:
    """An engine process. `hear` is called with each message, on a thread of this link; `lost` once, when it ends.

    The protocol runs over the child's stdin and stdout, so the child sees the end of the file the moment this
    process is gone, however it went, and ends as well.
    """

    def __init__(self, hear: Callable[[Any], None], lost: Callable[[], None], limits: Limits,
                 device: str) -> None:
        self._hear, self._lost = hear, lost
        start = {"path": [os.path.abspath(place) for place in sys.path], "limits": asdict(limits), "device": device}
        code = ("import json, sys; start = json.loads(sys.argv[1]); sys.path[:] = start['path']; "
                "from engines.runtime.worker import main; main(start)")
        self._child = subprocess.Popen([sys.executable, "-c", code, json.dumps(start)], **_APART,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**_THREADS, **os.environ})
        wire.widen(self._child.stdin)
        wire.widen(self._child.stdout)
        self.pid = self._child.pid
        self._outlet = Outlet(self._child.stdin, gone=_nothing)     # the reading thread sees the end too, and tells
        threading.Thread(target=self._read, name=f"engine-{self.pid}", daemon=True).start()

    def send(self, message: Any) -> None:
        """Never blocks. Raises what pickling raises."""
        self._outlet.put(wire.pack(message))

    def _read(self) -> None:
        while True:
            try:
                packed = wire.read(self._child.stdout)
            except (EOFError, OSError, ValueError):
                break
            try:
                self._hear(wire.unpack(packed))
            except Exception:
                log.exception("a message of the engine could not be understood")    # the next ones may be
        self._outlet.close(0)
        self.kill()
        self._child.wait()
        self._lost()

    def kill(self) -> None:
        if self._child.poll() is None:
            self._child.kill()

    def stop(self) -> None:
        """Ask the engine to end, and see to it that it does."""
        self.send(wire.Stop())
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self._child.wait()


class ThreadLink:
    """An engine on a thread of this process: for tests, and for one demo launched alone."""

    def __init__(self, hear: Callable[[Any], None], lost: Callable[[], None], limits: Limits,
                 device: str) -> None:
        from engines.runtime.scheduler import Scheduler
        self._lost = lost
        self._scheduler = Scheduler(hear, limits, device)
        self._thread = threading.Thread(target=self._serve, name="engine", daemon=True)
        self.pid = os.getpid()
        self._thread.start()

    def send(self, message: Any) -> None:
        self._scheduler.submit(message)

    def _serve(self) -> None:
        try:
            self._scheduler.run()
        finally:
            self._lost()

    def kill(self) -> None:
        """A thread cannot be killed; it is asked to stop and left behind."""
        self.send(wire.Stop())

    def stop(self) -> None:
        self.send(wire.Stop())
        self._thread.join(_PATIENCE)


def _nothing() -> None:
    return None
