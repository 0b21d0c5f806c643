"""Forward passes of several visitors in one call.

Requests for the same function of the same model, with arguments of the same dtype, device and trailing
shape and the same options, are joined along the first dimension; the result is cut apart again. When
memory runs out the pass is halved, down to single rows. When it fails otherwise, each request is run by
itself, so that only the one at fault fails.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import Any

from engines.runtime import device as devices
from engines.runtime.contract import Forward
from engines.runtime.errors import OutOfMemory

log = logging.getLogger(__name__)


class NotCuttable(Exception):
    """A result that cannot be cut apart along its first dimension."""


def key(request: Forward, mode: str) -> Hashable | None:
    """Requests with equal keys can be joined. None: this one cannot be joined with any.

    Passes in training mode are never joined: their gradients would flow between visitors.
    """
    import torch
    if mode != "inference" or not request.args:
        return None
    if not all(isinstance(arg, torch.Tensor) and arg.dim() for arg in request.args):
        return None
    if len({arg.shape[0] for arg in request.args}) != 1:
        return None
    owner = getattr(request.function, "__self__", request.function)
    function = getattr(request.function, "__func__", None)
    form = tuple((arg.dtype, arg.device, tuple(arg.shape[1:])) for arg in request.args)
    found = (id(owner), function, form, request.options)
    try:
        hash(found)
    except TypeError:       # an option such as a list
        return None
    return found


def rows(request: Forward) -> int:
    return request.args[0].shape[0]


class Passes:
    """Runs forward passes on one device; gives each request its result, or the exception it caused."""

    def __init__(self, device: Any, most_rows: int) -> None:
        self.device = device
        self.most_rows = most_rows
        self.joined = 0         # calls that served more than one request
        self.calls = 0

    def run(self, requests: list[Forward], make_room: Any, joinable: bool = True) -> list[Any]:
        """Results in the order of the requests; an exception in place of a result where one failed.

        make_room: called after memory ran out, before the pass is halved and tried again.
        joinable: whether these requests can be joined, or (a single one) halved.
        """
        if not joinable:
            return [self._alone(request, make_room) for request in requests]
        try:
            return self._joined(requests, make_room)
        except NotCuttable:
            log.warning("a result of %r cannot be cut apart: its requests run one by one", requests[0].function)
        except OutOfMemory as error:
            return [OutOfMemory(str(error)) for _ in requests]
        except Exception as error:
            if len(requests) == 1:
                return [error]
            log.warning("a joined pass failed (%s): its requests run one by one", type(error).__name__)
        return [self._alone(request, make_room) for request in requests]

    def _joined(self, requests: list[Forward], make_room: Any) -> list[Any]:
        import torch
        if len(requests) == 1:
            return [self._halving(requests[0].function, requests[0].args, requests[0].options, make_room)]
        self.joined += 1
        columns = zip(*(request.args for request in requests), strict=True)
        args = tuple(torch.cat(column) for column in columns)                      # (B1 + B2 + ..., ...)
        result = self._halving(requests[0].function, args, requests[0].options, make_room)
        return _cut(result, [rows(request) for request in requests])

    def _halving(self, function: Any, args: tuple[Any, ...], options: Any, make_room: Any) -> Any:
        """Call the function on all rows; on running out of memory make room, then try halves."""
        import torch
        result, full = self._attempt(function, args, options)
        if not full:
            return result
        make_room()
        result, full = self._attempt(function, args, options)
        if not full:
            return result
        count = args[0].shape[0]
        if count == 1:
            raise OutOfMemory("Memory ran out although idle models were put away and the pass was cut down to a single "
                              f"row ({_megabytes(args)} MB of input): ask for something smaller, or try again later.")
        half = count // 2
        parts = [self._halving(function, tuple(arg[cut] for arg in args), options, make_room)
                 for cut in (slice(None, half), slice(half, None))]
        if isinstance(parts[0], tuple):
            return tuple(torch.cat(pair) for pair in zip(*parts, strict=True))
        return torch.cat(parts)

    def _attempt(self, function: Any, args: tuple[Any, ...], options: Any) -> tuple[Any, bool]:
        """(result, False), or (None, True) when memory ran out. The traceback, which holds tensors, is gone then."""
        self.calls += 1
        try:
            placed = tuple(arg if arg.device == self.device else arg.to(self.device) for arg in args)
            return function(*placed, **dict(options)), False
        except Exception as error:
            if not devices.out_of_memory(error):
                raise
        return None, True

    def _alone(self, request: Forward, make_room: Any) -> Any:
        """One request by itself, uncut; tried once more after memory ran out."""
        for _ in range(2):
            try:
                self.calls += 1
                return request.function(*request.args, **dict(request.options))
            except Exception as error:
                if not devices.out_of_memory(error):
                    return error
            make_room()
        return OutOfMemory("Memory ran out although idle models were put away: ask for something smaller, "
                           "or try again later.")


def _cut(result: Any, sizes: list[int]) -> list[Any]:
    import torch
    if isinstance(result, torch.Tensor):
        if not result.dim() or result.shape[0] != sum(sizes):
            raise NotCuttable
        return list(torch.split(result, sizes))
    if isinstance(result, tuple) and result:
        return list(zip(*(_cut(part, sizes) for part in result), strict=True))
    raise NotCuttable


def _megabytes(args: tuple[Any, ...]) -> str:
    return f"{sum(arg.numel() * arg.element_size() for arg in args) / 2**20:.1f}"
