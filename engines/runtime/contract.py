"""What an engine says to the runtime: jobs, the models they need, forward passes they ask for.

Cheap to import: no torch, no numpy. An engine's `__init__` declares its jobs with
these classes; its `model.py` yields frames and forward passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ModelRef:
    """A model that a job needs.

    name:   a folder under assets/models ("vae-mnist-2d"), or "trained/<token>" for one that
            a visitor trained here.
    loader: "package.module:function", called on the engine's thread as
            function(folder: Path) -> torch.nn.Module on the CPU, in fp32 and in eval mode; the
            runtime checks the folder's files first, and moves the module to the device.
    """

    name: str
    loader: str


def no_models(params: Any) -> tuple[ModelRef, ...]:
    return ()


@dataclass(frozen=True)
class Job:
    """A generator of frames, by name, so that it can be declared without importing torch.

    target:     "package.module:function", called as function(*models, params) on the engine's
                thread. It yields frames (frozen dataclasses of numpy arrays and plain Python),
                `Forward` requests (and is sent their result), or None (a pause for breath).
                What `yield frame` returns is the newest params given to `Run.update`, or None.
    params:     frozen dataclass of parameters; it raises BadInput in __post_init__.
    frame:      the class (or union) of what the job yields.
    models:     params -> the models it needs, leased from before the first step to after the last.
    mode:       the grad mode that every step is wrapped in: torch.inference_mode, or grad enabled.
    outbox:     "wait": the job waits while `outbox_size` frames are unread. "latest": an unread
                frame is replaced by the newer one (the last frame of a job is never dropped).
    deadline_s: seconds of wall-clock time after which the run is stopped (time spent paused,
                or waiting for a reader, does not count).
    memory_mb:  working memory in MB wanted beyond the weights, for admission.
    """

    target: str
    params: type
    frame: Any
    models: Callable[[Any], tuple[ModelRef, ...]] = field(default=no_models)
    mode: Literal["inference", "training"] = "inference"
    outbox: Literal["wait", "latest"] = "wait"
    outbox_size: int = 8
    deadline_s: float = 60.0
    memory_mb: int = 64


@dataclass(frozen=True)
class Forward:
    """A request for one forward pass, yielded by a job and answered with its result.

    function: a bound method of a leased model, or the model itself.
    args:     tensors whose first dimension is the batch, (B, ...). Requests for the same
              function of the same model whose arguments agree in dtype, trailing shape and
              `options` are joined along the first dimension into one call, and the result
              (a tensor, or a tuple of tensors, first dimension the batch) is cut apart again.
    options:  keyword arguments, equal for all that are joined.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...] = ()


def forward(function: Callable[..., Any], *args: Any, **options: Any) -> Forward:
    """`eps = yield forward(unet, x_t, t)`: one forward pass, shared with whoever else waits for it."""
    return Forward(function, args, tuple(sorted(options.items())))
