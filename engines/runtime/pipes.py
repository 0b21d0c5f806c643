"""The two ends of a pipe, without a change of thread where none is needed: it would cost more than most messages.

The writing end writes at once what the pipe has room for, and only the rest on a thread of its own. The reading
end is read by the scheduler itself, between two steps.
"""

from __future__ import annotations

import os
import queue
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

from engines.runtime.wire import LENGTH, unpack

_CHUNK = 1 << 18


class Outlet:
    """put() never blocks and may be called from any thread. gone: called once, when the other end has gone."""

    def __init__(self, stream: BinaryIO, gone: Callable[[], None], idle: Callable[[], None] | None = None,
                 idle_s: float | None = None) -> None:
        """idle: called on the thread when nothing had to be caught up with for idle_s seconds."""
        self._stream = stream               # kept, or it would be closed
        self._descriptor = stream.fileno()
        self._gone, self._idle, self._idle_s = gone, idle, idle_s
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._backlog: deque[memoryview] = deque()
        self._closed = False
        self._direct = os.name == "posix"   # elsewhere a pipe cannot be asked for room: the thread writes everything
        if self._direct:
            os.set_blocking(self._descriptor, False)
        self._thread = threading.Thread(target=self._catch_up, name="outlet", daemon=True)
        self._thread.start()

    def put(self, packed: bytes) -> None:
        """Send one packed message, after all that were put before it."""
        data = LENGTH.pack(len(packed)) + packed
        with self._lock:
            if self._closed:
                return
            rest = self._write(data) if self._direct and not self._backlog else memoryview(data)
            if rest:
                self._backlog.append(rest)
                self._changed.notify()

    def close(self, seconds: float) -> None:
        """Write what is left, for at most that long."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)

    def _write(self, data: bytes | memoryview) -> memoryview:
        """Write what there is room for; returns the rest. When the other end has gone there is no rest."""
        try:
            return memoryview(data)[os.write(self._descriptor, data):]
        except BlockingIOError:
            return memoryview(data)
        except OSError:
            self._closed = True
            self._backlog.clear()
            return memoryview(b"")

    def _catch_up(self) -> None:
        while True:
            with self._changed:
                if not self._backlog and not self._closed:
                    self._changed.wait(self._idle_s)
                if not self._backlog and self._closed:
                    break
                first = self._backlog[0] if self._backlog else None
            if first is None:
                if self._idle is not None:
                    self._idle()
            else:
                self._write_first(first)
        self._gone()

    def _write_first(self, first: memoryview) -> None:
        """Write the oldest message, waiting for room without the lock: nobody else writes while there is a backlog."""
        while first:
            if self._direct:
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT | select.POLLERR)
                poll.poll()
            first = self._write(first)
        with self._changed:
            if self._backlog:
                self._backlog.popleft()


class Inlet:
    """The messages of a pipe as a queue (get, get_nowait, put) for one thread. gone: called when the pipe ends."""

    def __init__(self, stream: BinaryIO, gone: Callable[[], None]) -> None:
        self._stream = stream               # kept, or it would be closed
        self._descriptor = stream.fileno()
        self._gone = gone
        self._bytes = bytearray()
        self._messages: deque[Any] = deque()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        os.set_blocking(self._descriptor, False)
        threading.Thread(target=self._watch, name="hub-watch", daemon=True).start()

    def put(self, message: Any) -> None:
        self._messages.append(message)

    def get_nowait(self) -> Any:
        """The next message. Raises queue.Empty."""
        if not self._messages:
            self._read()
            if not self._messages:
                raise queue.Empty
        return self._messages.popleft()

    def get(self) -> Any:
        """The next message, waited for."""
        while True:
            try:
                return self.get_nowait()
            except queue.Empty:
                self._poll.poll()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._gone()
        self._bytes += data
        start = 0
        while len(self._bytes) - start >= LENGTH.size:
            end = start + LENGTH.size + LENGTH.unpack_from(self._bytes, start)[0]
            if end > len(self._bytes):
                break
            self._messages.append(unpack(bytes(self._bytes[start + LENGTH.size:end])))
            start = end
        del self._bytes[:start]

    def _watch(self) -> None:
        """See the other end go even while a long step keeps the reading thread away."""
        poll = select.poll()
        poll.register(self._descriptor, 0)      # nothing but the hang-up
        poll.poll()
        self._gone()
