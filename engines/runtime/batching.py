"""Forward passes of several visitors in one call.

Requests for the same function of the same model, with arguments of the same dtype, device and trailing
shape and the same options, are joined along the first dimension; the result is cut apart again. When
memory runs out the pass is done in halves, down to single rows. When it fails otherwise, each request is run by
itself, so that only the one at fault fails.
"""

from __future__ import annotations

import logging
import weakref
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
    form, count = [], None
    for arg in request.args:
        if not isinstance(arg, torch.Tensor) or not arg.dim():
            return None
        shape = arg.shape
        if count is not None and shape[0] != count:
            return None
        count = shape[0]
        form.append((arg.dtype, arg.device, shape[1:]))
    owner = getattr(request.function, "__self__", request.function)
    function = getattr(request.function, "__func__", None)
    found = (id(owner), function, tuple(form), request.options)
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
        self._most: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()   # rows, where memory ran out
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
        function, options = requests[0].function, dict(requests[0].options)
        if len(requests) == 1:
            return [self._in_parts(function, requests[0].args, options, make_room)]
        self.joined += 1
        columns = zip(*(request.args for request in requests), strict=True)
        args = tuple(torch.cat(column) for column in columns)                      # (B1 + B2 + ..., ...)
        result = self._in_parts(function, args, options, make_room)
        return _cut(result, [rows(request) for request in requests])

    def _in_parts(self, function: Any, args: tuple[Any, ...], options: dict[str, Any], make_room: Any) -> Any:
        """Call the function on all rows at once; where memory runs out, make room once, then halve.

        What went through is remembered by model, and grows again by one row with each pass that does.
        """
        owner = getattr(function, "__self__", function)
        count = args[0].shape[0]
        most = self._most.get(owner, count)
        parts, done, made = [], 0, False
        while done < count:
            some = args if most >= count else tuple(arg[done:done + most] for arg in args)
            part, full = self._attempt(function, some, options)
            if not full:
                parts.append(part)
                done += most
                continue
            make_room()
            if made and most == 1:
                raise OutOfMemory("Memory ran out although idle models were put away and the pass was cut down to a "
                                  f"single row ({_megabytes(args)} MB of input in all): ask for something smaller.")
            most = max(1, min(most, count - done) // 2) if made else most
            made = True
        if made or owner in self._most:
            self._most[owner] = most + 1
        return parts[0] if len(parts) == 1 else _stack(parts)

    def _attempt(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, bool]:
        """(result, False), or (None, True) when memory ran out. The traceback, which holds tensors, is gone then."""
        self.calls += 1
        try:
            return function(*(self._place(arg) for arg in args), **options), False
        except Exception as error:
            if not devices.out_of_memory(error):
                raise
        return None, True

    def _place(self, arg: Any) -> Any:
        placed = getattr(arg, "device", self.device) == self.device
        return arg if placed else arg.to(self.device)

    def _alone(self, request: Forward, make_room: Any) -> Any:
        """One request by itself, uncut; tried once more after memory ran out."""
        for _ in range(2):
            try:
                result, full = self._attempt(request.function, request.args, dict(request.options))
            except Exception as error:
                return error
            if not full:
                return result
            make_room()
        return OutOfMemory("Memory ran out although idle models were put away: ask for something smaller, "
                           "or try again later.")


def _stack(parts: list[Any]) -> Any:
    import torch
    if isinstance(parts[0], torch.Tensor):
        return torch.cat(parts)
    if isinstance(parts[0], tuple):
        return tuple(_stack(list(each)) for each in zip(*parts, strict=True))
    raise NotCuttable


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
