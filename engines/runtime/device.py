"""Which device the engine works on, how much memory it may use there, and how many threads."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from engines.runtime.errors import BadInput

DEVICE = "GALLERY_DEVICE"
MEMORY = "GALLERY_MEMORY_MB"
THREADS = "GALLERY_THREADS"
_SHARE_CPU = 0.5            # the other half of the RAM is for the hub, browsers and whatever else the host runs
_SHARE_ACCELERATOR = 0.8    # of what is free: fragments and the libraries' own workspace take the rest
_MOST_THREADS = 16
_GROUPS = Path("/sys/fs/cgroup")        # where Linux tells a container what it may use
MB = 2**20
T = TypeVar("T")
R = TypeVar("R")


def choose(override: str = "") -> Any:
    """The torch.device to use: `override` (else GALLERY_DEVICE), else CUDA, XPU, MPS, CPU.

    Raises BadInput when the override names a device that is none, or that this machine has not.
    """
    import torch
    wish = (override or os.environ.get(DEVICE, "")).strip().lower()
    if not wish:
        kind = next((kind for kind in ("cuda", "xpu", "mps") if _count(torch, kind)), "cpu")
        return torch.device(kind, 0) if kind in ("cuda", "xpu") else torch.device(kind)
    match = re.fullmatch(r"(cpu|mps)|(cuda|xpu)(?::(\d+))?", wish)
    if not match:
        raise BadInput(f"{DEVICE} is {wish[:40]!r}; it may be cpu, cuda, cuda:1 (any number), xpu or mps: "
                       "set one of these, or leave it out.")
    kind, index = match[1] or match[2], int(match[3] or 0)
    if kind == "cpu":
        return torch.device("cpu")
    found = _count(torch, kind)
    if index >= found:
        raise BadInput(f"{DEVICE} is {wish!r}, and this machine has {found} devices of that kind that torch can use: "
                       "choose another, or cpu.")
    return torch.device("mps") if kind == "mps" else torch.device(kind, index)


def _count(torch: Any, kind: str) -> int:
    """How many devices of a kind torch can use here."""
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    backend = getattr(torch, kind, None)
    return backend.device_count() if backend is not None and backend.is_available() else 0


def count(device: Any) -> int:
    """How many devices of this device's kind there are."""
    import torch
    return _count(torch, device.type) if device.type != "cpu" else 1


def name(device: Any) -> str:
    """The device in words for a badge: "NVIDIA H200", or the processor and its cores."""
    import torch
    if device.type in ("cuda", "xpu"):
        return getattr(torch, device.type).get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"{_processor()}, {cores()} core{'s' if cores() > 1 else ''}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        return platform.processor() or "CPU"
    return platform.processor() or platform.machine() or "CPU"


def cores() -> int:
    """Processor cores that this process may use: of a container that may use two of a host's sixteen, two."""
    affinity = getattr(os, "sched_getaffinity", None)
    seen = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    return max(1, int(min(seen, _quota() + 0.5)))


def _quota() -> float:
    """Cores' worth of time that the container may use in all."""
    for quota, period in ((_GROUPS / "cpu.max", None), (_GROUPS / "cpu/cpu.cfs_quota_us", _GROUPS / "cpu/cpu.cfs_period_us")):
        try:
            text = quota.read_text(encoding="ascii") + (f" {period.read_text(encoding='ascii')}" if period else "")
            most, each = map(int, text.split())
        except (OSError, ValueError):       # there is no such limit ("max"), or no such file
            continue
        if most > 0 and each > 0:
            return most / each
    return math.inf


def threads() -> int:
    """Intra-op threads for torch: GALLERY_THREADS, else one core less than there are, which is for the hub.

    With the hub on one of two cores, a second thread made the live training half as fast, not faster: each
    operation waits for the slower of the two.

    Raises BadInput for a value that is no number from 1 to 256.
    """
    wish = os.environ.get(THREADS, "").strip()
    if not wish:
        return max(1, min(cores() - 1, _MOST_THREADS))      # the teaching models are small: more threads wait for each other
    if not wish.isdigit() or not 1 <= int(wish) <= 256:
        raise BadInput(f"{THREADS} is {wish[:40]!r}; it may be 1 to 256: set a number, or leave it out.")
    return int(wish)


def hands() -> int:
    """Threads that may work side by side in one pass: one for every core, the hub's too, or GALLERY_THREADS."""
    return threads() if os.environ.get(THREADS, "").strip() else min(cores(), _MOST_THREADS)


def abreast(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """work(part) of each, at the same time, each with a thread and one core; the first is done on this thread.

    Sharing out the rows of a pass so is worth far more than sharing out each of its operations, where every one waits
    for the slower thread. `work` gains while it is outside Python. Without gradients, in the inference mode of this
    thread. Raises what the first of the parts that failed has raised, once all have ended.
    """
    import torch
    if len(parts) == 1:
        return [work(parts[0])]
    inference = torch.is_inference_mode_enabled()

    def helped(part: T) -> R:
        with torch.inference_mode(inference), torch.no_grad():
            return work(part)
    with _threads(1):
        others = [_helpers().submit(helped, part) for part in parts[1:]]
        try:
            first = helped(parts[0])
        finally:
            wait(others)
        return [first, *(each.result() for each in others)]


@cache
def _helpers() -> ThreadPoolExecutor:
    import torch
    return ThreadPoolExecutor(_MOST_THREADS - 1, "abreast", initializer=torch.set_num_threads, initargs=(1,))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads within torch's operations for as long as it lasts."""
    import torch
    before = torch.get_num_threads()
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)


def budget(device: Any) -> int:
    """Bytes for weights and working memory: GALLERY_MEMORY_MB, else a share of what the device has.

    Raises BadInput for a value that is no number of megabytes from 16 up.
    """
    wish = os.environ.get(MEMORY, "").strip()
    if wish:
        if not wish.isdigit() or int(wish) < 16:
            raise BadInput(f"{MEMORY} is {wish[:40]!r}; it is a whole number of megabytes, 16 or more: set one, "
                           "or leave it out.")
        return int(wish) * MB
    return int(free(device) * (_SHARE_CPU if device.type in ("cpu", "mps") else _SHARE_ACCELERATOR))


def free(device: Any) -> int:
    """Bytes that can be had: free memory of an accelerator; on CPU the RAM, or the container's limit if smaller."""
    import torch
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "xpu":
        return torch.xpu.get_device_properties(device).total_memory
    return min(_ram(), _container())


def _ram() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4096 * MB        # a system that does not say (Windows): small enough for any machine that runs torch


def _container() -> int:
    for path in (_GROUPS / "memory.max", _GROUPS / "memory/memory.limit_in_bytes"):
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            return int(text)
    return 2**63


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out: each backend says so in its own way."""
    import torch
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def give_back(device: Any) -> None:
    """Return cached blocks to the device after something large has gone."""
    import gc

    import torch
    gc.collect()
    backend = getattr(torch, device.type, None)
    if backend is not None and hasattr(backend, "empty_cache"):
        backend.empty_cache()
