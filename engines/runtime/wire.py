"""What crosses between hub and engine, and how: length-prefixed pickles over two pipes.

Both ends are this program, so pickle is safe here; no byte of it comes from a visitor.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from engines.runtime.contract import ModelRef

_LENGTH = struct.Struct("<Q")
_PIPE_BYTES = 1 << 20       # a large pipe holds a whole picture, so that a write seldom waits for the reader


# --- hub to engine -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Order:
    """One run: the job as the engine needs it, without the types that only the hub needs."""

    run: int
    session: str
    target: str
    params: Any
    models: tuple[ModelRef, ...]
    mode: str
    outbox: str
    outbox_size: int
    deadline_s: float
    memory_mb: int


@dataclass(frozen=True)
class Ack:
    run: int
    count: int


@dataclass(frozen=True)
class Cancel:
    run: int


@dataclass(frozen=True)
class Pause:
    run: int
    on: bool


@dataclass(frozen=True)
class Park:
    run: int
    on: bool


@dataclass(frozen=True)
class Update:
    run: int
    params: Any


@dataclass(frozen=True)
class Warm:
    models: tuple[ModelRef, ...]


@dataclass(frozen=True)
class Stop:
    pass


# --- engine to hub -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Hello:
    """The engine is ready; or, with a fault, it is not and says why. devices: how many of this kind there are."""

    pid: int
    device: str
    device_name: str
    devices: int
    torch: str
    threads: int
    budget_bytes: int
    fault: str = ""


@dataclass(frozen=True)
class Frame:
    run: int
    frame: Any


@dataclass(frozen=True)
class Status:
    """state: "loading", "running", or "queued" (for memory)."""

    run: int
    state: str


@dataclass(frozen=True)
class End:
    """outcome: "done", "failed", "cancelled". error: name of a class in engines.runtime.errors, or empty."""

    run: int
    outcome: str
    error: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Residents:
    models: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Beat:
    """A sign of life each second. run: whose step is under way (0: none); overdue_s: how far past its deadline."""

    run: int
    overdue_s: float


class _FramePickler(pickle.Pickler):
    """Refuses tensors: unpickling one would import torch into the hub."""

    def reducer_override(self, value: Any) -> Any:
        if type(value).__module__.partition(".")[0] == "torch":
            raise TypeError(f"a {type(value).__name__} cannot leave the engine: yield numpy arrays and plain Python")
        return NotImplemented


def pack(message: Any) -> bytes:
    """Pickle a message. Raises TypeError when it holds a tensor, however deep."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    if b"torch" not in data:
        return data
    buffer = io.BytesIO()       # only a word in a text, or a tensor: the slower way tells them apart
    _FramePickler(buffer, pickle.HIGHEST_PROTOCOL).dump(message)
    return buffer.getvalue()


def unpack(data: bytes) -> Any:
    return pickle.loads(data)


def widen(stream: BinaryIO) -> None:
    """Ask for a larger pipe where the system can (Linux)."""
    try:
        import fcntl
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return      # a small pipe works too, with more switches


def write(stream: BinaryIO, packed: list[bytes]) -> None:
    """Write several packed messages at once. Raises OSError when the other end has gone."""
    data = b"".join(part for message in packed for part in (_LENGTH.pack(len(message)), message))
    view = memoryview(data)
    descriptor = stream.fileno()
    while view:
        view = view[os.write(descriptor, view):]


def read(stream: BinaryIO) -> bytes:
    """The next packed message. Raises EOFError when the other end has gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    size, = _LENGTH.unpack(head)
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body
