"""What crosses between hub and engine arrives as it was; tensors do not cross; a full pipe holds nobody up."""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from engines.runtime import wire
from engines.runtime.pipes import Inlet, Outlet
from tests.engines.runtime.conftest import until


@dataclass(frozen=True)
class Mixed:
    grey: np.ndarray
    note: str
    parts: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Slotted:
    n: int


@pytest.mark.parametrize("array", [
    np.arange(12, dtype=np.uint8).reshape(3, 4), np.zeros((0, 5), np.float32), np.array(3.0),
    np.arange(24, dtype=np.int16).reshape(2, 3, 4)[:, ::2].T, np.array(["a", "torch"]), np.array([None, "x"], object),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.array(["2013-12-20"], "datetime64[D]")])
def test_frames_cross_whole(array: np.ndarray) -> None:
    frame = Mixed(array, "torch", (array, {"deep": [array]}))
    message = wire.unpack(wire.pack(wire.Frame(7, frame)))
    assert message.run == 7 and type(message.frame) is Mixed and message.frame.note == "torch"
    for found in (message.frame.grey, message.frame.parts[0], message.frame.parts[1]["deep"][0]):
        assert found.dtype == array.dtype and found.shape == array.shape and (found == array).all()
    assert message.frame.grey.flags.writeable


@pytest.mark.parametrize("message", [
    wire.Frame(1, Slotted(3)), wire.Frame(1, 5), wire.End(1, "failed", "BadInput", "a sentence"), wire.Stop(),
    wire.Residents((("m", 1),)), wire.Cancel(3), wire.Beat(0, 0.0)])
def test_other_messages_cross_whole(message: object) -> None:
    found = wire.unpack(wire.pack(message))
    assert found == message and type(found) is type(message)


@pytest.mark.parametrize("frame", [Mixed(np.zeros(1), "", (torch.ones(1),)), Mixed(torch.ones(1), "", ()),
                                   Mixed(np.zeros(1), "", ({"deep": [torch.float32]},))])
def test_no_tensor_crosses_however_deep(frame: Mixed) -> None:
    with pytest.raises(TypeError, match="cannot leave the engine"):
        wire.pack(wire.Frame(1, frame))


def test_a_full_pipe_holds_nobody_up_and_loses_nothing() -> None:
    reading, writing = os.pipe()
    gone = threading.Event()
    outlet = Outlet(os.fdopen(writing, "wb", buffering=0), gone=lambda: None)
    sizes = [10, 300_000, 20, 0, 2_000_000, 5] * 3
    for number, size in enumerate(sizes):
        outlet.put(wire.pack(wire.Frame(number, Mixed(np.full(size, number, np.uint8), "", ()))))
    inlet = Inlet(os.fdopen(reading, "rb", buffering=0), gone=gone.set)
    for number, size in enumerate(sizes):
        message = inlet.get()
        assert message.run == number and len(message.frame.grey) == size and (message.frame.grey == number).all()
    with pytest.raises(queue.Empty):
        inlet.get_nowait()
    assert not gone.is_set()
    outlet.close(2.0)
    outlet._stream.close()
    until(gone.is_set)


def test_a_reader_that_goes_ends_the_writing() -> None:
    reading, writing = os.pipe()
    gone = threading.Event()
    outlet = Outlet(os.fdopen(writing, "wb", buffering=0), gone=gone.set)
    outlet.put(bytes(3_000_000))
    os.close(reading)
    until(gone.is_set)
    outlet.put(b"nobody reads this")
