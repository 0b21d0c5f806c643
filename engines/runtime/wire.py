"""What crosses between hub and engine, and how: length-prefixed pickles over two pipes.

Both ends are this program, so pickle is safe here; no byte of it comes from a visitor.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from engines.runtime.contract import ModelRef

LENGTH = struct.Struct("<Q")
_PIPE_BYTES = 1 << 20       # a large pipe holds a whole picture, so that a write seldom waits for the reader


# --- hub to engine -----------------------------------------------------------------------------------------------

class Order(NamedTuple):
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


class Ack(NamedTuple):
    run: int
    count: int


class Cancel(NamedTuple):
    run: int


class Pause(NamedTuple):
    run: int
    on: bool


class Park(NamedTuple):
    run: int
    on: bool


class Update(NamedTuple):
    run: int
    params: Any


class Warm(NamedTuple):
    models: tuple[ModelRef, ...]


class Stop(NamedTuple):
    pass


# --- engine to hub -----------------------------------------------------------------------------------------------

class Hello(NamedTuple):
    """The engine is ready; or, with a fault, it is not and says why. devices: how many of this kind there are."""

    pid: int
    device: str
    device_name: str
    devices: int
    torch: str
    threads: int
    budget_bytes: int
    fault: str = ""


class Frame(NamedTuple):
    run: int
    frame: Any


class Status(NamedTuple):
    """state: "loading", "running", or "queued" (for memory)."""

    run: int
    state: str


class End(NamedTuple):
    """outcome: "done", "failed", "cancelled". error: name of a class in engines.runtime.errors, or empty."""

    run: int
    outcome: str
    error: str = ""
    sentence: str = ""


class Residents(NamedTuple):
    models: tuple[tuple[str, int], ...]


class Beat(NamedTuple):
    """A sign of life each second. run: whose step is under way (0: none); overdue_s: how far past its deadline."""

    run: int
    overdue_s: float


class _CarefulPickler(pickle.Pickler):
    """Refuses tensors: unpickling one would import torch into the hub."""

    def reducer_override(self, value: Any) -> Any:
        if type(value).__module__.partition(".")[0] == "torch":
            raise TypeError(f"a {type(value).__name__} cannot leave the engine: yield numpy arrays and plain Python")
        return NotImplemented


def pack(message: Any) -> bytes:
    """Pickle a message. Raises TypeError when it holds a tensor, however deep."""
    taken_apart = _take_apart(message) if type(message) is Frame else None
    packed = pickle.dumps(taken_apart or message, pickle.HIGHEST_PROTOCOL)
    if b"torch" in packed:      # a word in a text, or a tensor: the slower way tells them apart
        _CarefulPickler(io.BytesIO(), pickle.HIGHEST_PROTOCOL).dump(message)
    return packed


def unpack(data: bytes) -> Any:
    message = pickle.loads(data)
    return _put_together(*message) if type(message) is tuple else message


def _take_apart(message: Frame) -> tuple[Any, ...] | None:
    """A frame whose arrays are plain bytes: numpy's own way to pickle a small array takes five times as long."""
    fields = getattr(message.frame, "__dict__", None)
    if fields is None:
        return None
    rest, arrays = {}, {}
    for name, value in fields.items():
        if type(value) is np.ndarray and not value.dtype.hasobject and not value.dtype.names:
            arrays[name] = value.dtype.str, value.shape, value.tobytes()
        else:
            rest[name] = value
    return message.run, type(message.frame), rest, arrays


def _put_together(run: int, kind: type, rest: dict[str, Any], arrays: dict[str, Any]) -> Frame:
    frame = object.__new__(kind)
    fields = frame.__dict__
    fields.update(rest)
    for name, (dtype, shape, data) in arrays.items():
        fields[name] = np.ndarray(shape, dtype, bytearray(data))
    return Frame(run, frame)


def widen(stream: BinaryIO) -> None:
    """Ask for a larger pipe where the system can (Linux)."""
    try:
        import fcntl
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return      # a small pipe works too, with more switches


def read(stream: BinaryIO) -> bytes:
    """The next packed message. Raises EOFError when the other end has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    size, = LENGTH.unpack(head)
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body
