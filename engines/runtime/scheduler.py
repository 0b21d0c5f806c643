"""The one thread that owns torch: it loads models, steps every run, joins their forward passes.

Time is shared between sessions first, then between the runs of a session: the next step goes to whoever
has used the least of this thread so far. With steps of equal length that is a plain rotation; with
unequal ones a training run cannot starve a visitor who only wants one picture decoded.

Everything that changes a run (cancel, pause, update, an acknowledged frame) comes in through one inbox and
is obeyed between two steps, so nothing here needs a lock.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from engines.runtime import batching, device, errors, wire
from engines.runtime.activity import MB, Activity, Line
from engines.runtime.contract import Forward
from engines.runtime.limits import Limits
from engines.runtime.models import Residents

log = logging.getLogger(__name__)

_LISTEN_S = 0.0005  # so long it may not hear what is said: to look whether something is costs as much as a small step
_COAXING = 3        # steps a run is given to arrive at its next forward pass before the others go without it
_DEFECT = "Something in this demo went wrong and was written to the log: try again, or choose other settings."


class Scheduler:
    """Runs orders until told to stop. `submit` may be called from any thread, `emit` is called on this one."""

    def __init__(self, emit: Callable[[Any], None], limits: Limits, device_name: str = "",
                 inbox: Any = None) -> None:
        """device_name: as GALLERY_DEVICE, which it overrides. inbox: a queue, where messages come by another way."""
        self.step: tuple[int, float] | None = None      # (run, when it is overdue) of the step under way
        self._emit = emit
        self._limits = limits
        self._wish = device_name
        self._inbox: Any = queue.SimpleQueue() if inbox is None else inbox
        self._activities: dict[int, Activity] = {}
        self._runs: Counter[str] = Counter()            # by session
        self._used: dict[str, float] = {}               # seconds of this thread, by session
        self._line = Line()                             # runs that wait for memory
        self._floor = 0.0                               # newcomers start here, or they would catch up on all that was
        self._stopping = False
        self._fault: errors.VisitorError | None = None

    def submit(self, message: Any) -> None:
        self._inbox.put(message)

    # --- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until a Stop message. Imports torch, so call it on the thread that is to own it."""
        self._begin()
        heard = 0.0
        while not self._stopping:
            now = time.monotonic()
            if now - heard > _LISTEN_S:
                self._obey()
                heard = now
            activity = self._next()
            if self._stopping:
                break
            if activity is None:
                self._take(self._inbox.get())       # nothing can be stepped until something is said
                heard = 0.0
            else:
                self._turn(activity)
        for activity in list(self._activities.values()):
            self._end(activity, "cancelled")

    def _begin(self) -> None:
        import torch
        place, room, threads = torch.device("cpu"), 0, 1
        try:
            place, threads = device.choose(self._wish), device.threads()
            room = device.budget(place)
        except errors.VisitorError as error:
            log.error("%s", error)
            self._fault = error
        torch.set_num_threads(threads)
        self._grad = {"inference": torch.inference_mode(), "training": torch.enable_grad()}
        self.residents = Residents(place, room)
        self.passes = batching.Passes(place, self._limits.joined_rows)
        self._emit(wire.Hello(os.getpid(), str(place), device.name(place), device.count(place), str(torch.__version__),
                              threads, room, str(self._fault or "")))

    def _obey(self) -> None:
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return
            self._take(message)

    def _take(self, message: Any) -> None:
        if isinstance(message, wire.Order):
            self._admit(message)
        elif isinstance(message, wire.Warm):
            self.residents.warm(message.models if self._fault is None else ())
            self._tell_residents()
        elif isinstance(message, wire.Stop):
            self._stopping = True
        elif message.run in self._activities:       # else it has just ended
            self._change(self._activities[message.run], message)

    def _admit(self, order: wire.Order) -> None:
        if self._fault is not None:
            self._emit(wire.End(order.run, "failed", type(self._fault).__name__, str(self._fault)))
            return
        self._used[order.session] = max(self._used.get(order.session, 0.0), self._floor)
        self._runs[order.session] += 1
        siblings = (each.used for each in self._activities.values() if each.order.session == order.session)
        activity = Activity(order, self._emit, used=min(siblings, default=0.0))
        activity.mark(time.monotonic())
        self._activities[order.run] = activity

    def _change(self, activity: Activity, message: Any) -> None:
        if isinstance(message, wire.Cancel):
            self._end(activity, "cancelled")
            return
        was_ready = activity.ready()
        if isinstance(message, wire.Ack):
            self._acknowledge(activity, message.count)
        elif isinstance(message, wire.Pause):
            activity.paused = message.on
        elif isinstance(message, wire.Park):
            activity.parked = message.on
        elif isinstance(message, wire.Update):
            activity.newest = message.params
        if activity in self._line:
            self._line.call()
        if activity.ready() and not was_ready and activity.order.run in self._activities:
            session = activity.order.session
            self._used[session] = max(self._used[session], self._floor)
        activity.mark(time.monotonic())

    def _acknowledge(self, activity: Activity, count: int) -> None:
        try:
            activity.acknowledge(count)
        except Exception:       # the frame that it held back cannot be sent
            log.exception("a frame of run %d of %s could not be sent", activity.order.run, activity.order.target)
            self._end(activity, "failed", errors.JobFailed(_DEFECT))

    def _next(self) -> Activity | None:
        """The run to step: of the session, then within it of the run, that used least of this thread."""
        chosen, least = None, (0.0, 0.0)
        used = self._used
        for activity in self._activities.values():
            if activity.able:
                rank = (used[activity.order.session], activity.used)
                if chosen is None or rank < least:
                    chosen, least = activity, rank
        if chosen is not None:
            self._floor = max(self._floor, least[0])
        return chosen

    # --- one turn ------------------------------------------------------------------------------------------------

    def _turn(self, activity: Activity) -> None:
        if activity.overdue(time.monotonic()) > 0:
            self._end(activity, "failed", errors.TimedOut(
                f"This took longer than its limit of {activity.order.deadline_s:g} s and was stopped: "
                "ask for less at once, or try again when fewer people are here."))
        elif activity.request is not None:
            self._answer(activity)
        else:
            self._advance(activity)

    def _advance(self, activity: Activity) -> None:
        """Open the run if need be, and take one step of its generator."""
        begun = time.monotonic()
        self.step = (activity.order.run, begun - activity.overdue(begun))
        failure, full = None, False
        try:
            if activity.modules is None and not self._open(activity):
                return
            self._step(activity)
        except StopIteration:
            self._end(activity, "done")
        except errors.VisitorError as error:
            failure = _public(error)(str(error))
        except (Exception, SystemExit) as error:
            full = device.out_of_memory(error)
            if not full:
                log.exception("run %d of %s failed", activity.order.run, activity.order.target)
                failure = errors.JobFailed(_DEFECT)
        finally:
            self.step = None
            self._charge(activity, time.monotonic() - begun)
        # outside the except: its traceback holds the frames of the job, and they hold its tensors
        if full:
            self._short(activity)
        elif failure is not None:
            self._end(activity, "failed", failure)

    def _open(self, activity: Activity) -> bool:
        """Lease the models and start the generator. False when it must wait for memory."""
        order = activity.order
        slow = not self.residents.has(order.models)
        if slow:
            activity.tell("loading")
        modules = self.residents.lease(order.models, activity.working) if self._line.lets(activity) else None
        if modules is None:
            self._line.join(activity)
            return False
        activity.modules = modules
        self._line.leave(activity)
        if slow:
            self._tell_residents()
            activity.tell("running")
        package, _, function = order.target.partition(":")
        generator = getattr(importlib.import_module(package), function)(*modules, order.params)
        if not inspect.isgenerator(generator):
            raise TypeError(f"{order.target} returned a {type(generator).__name__}; a job is a generator")
        activity.generator = generator
        return True

    def _step(self, activity: Activity) -> None:
        error, activity.error = activity.error, None
        value, activity.value = activity.value, None
        if value is None and activity.begun and not activity.asked:
            value, activity.newest = activity.newest, None
        activity.begun = True
        try:
            with self._grad[activity.order.mode]:
                yielded = activity.generator.throw(error) if error else activity.generator.send(value)
        finally:
            del error, value        # an exception that holds the frame that holds it would keep tensors alive
        activity.asked = isinstance(yielded, Forward)
        activity.unasked = 0 if activity.asked else activity.unasked + 1
        if activity.asked:
            activity.request = yielded
            activity.key = batching.key(yielded, activity.order.mode)
        elif yielded is not None:
            activity.offer(yielded)
        activity.mark(time.monotonic())

    # --- forward passes ------------------------------------------------------------------------------------------

    def _answer(self, activity: Activity) -> None:
        """Run the pass that this run waits for, together with all others that wait for the same."""
        group = [activity]
        if activity.key is not None:
            self._gather(activity)
            if activity.request is None:        # cancelled meanwhile
                return
            group = self._group(activity)
        begun = time.monotonic()
        self.step = (activity.order.run, begun - activity.overdue(begun))
        with self._grad[activity.order.mode]:
            results = self.passes.run([each.request for each in group], self._make_room, activity.key is not None)
        self.step = None
        spent = (time.monotonic() - begun) / len(group)
        for each, result in zip(group, results, strict=True):
            each.request = each.key = None
            if isinstance(result, Exception):
                each.error = result
            else:
                each.value = result
            self._charge(each, spent)

    def _gather(self, activity: Activity) -> None:
        """Step the runs that share a model with this one up to their own next pass, so that they can be joined.

        Twice, because those that come to their end make their readers ask for more.
        """
        models = set(activity.order.models)
        for again in (False, True):
            if again:
                self._obey()
            peers = [each for each in self._activities.values() if each is not activity and each.request is None
                     and models.intersection(each.order.models)]
            for peer in peers:
                while peer.unasked < _COAXING and peer.request is None and peer.ready():
                    self._advance(peer)
                    if self._activities.get(peer.order.run) is not peer:
                        break
            if not peers:
                return

    def _group(self, activity: Activity) -> list[Activity]:
        group, total = [activity], batching.rows(activity.request)
        for each in self._activities.values():
            if each is not activity and each.key == activity.key and each.request is not None and each.ready():
                total += batching.rows(each.request)
                if total > self._limits.joined_rows:
                    break
                group.append(each)
        return group

    # --- memory --------------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        if self.residents.evict_idle():
            self._tell_residents()
        device.give_back(self.residents.device)

    def _short(self, activity: Activity) -> None:
        """Memory ran out in a run's own step: start it over once if nothing of it has been seen, else say so."""
        order = activity.order
        newest = activity.newest
        self._let_go(activity)
        self._make_room()
        if activity.frames == 0 and not activity.retried:
            activity.retried, activity.newest = True, newest
            return
        used = sum(size for _, size in self.residents.listed())
        self._end(activity, "failed", errors.OutOfMemory(
            f"Memory ran out: this run was promised {order.memory_mb} MB, models hold {used / MB:.0f} MB and the "
            f"gallery may use {self.residents.budget / MB:.0f} MB here: ask for less, or try again in a moment."))

    def _tell_residents(self) -> None:
        self._emit(wire.Residents(self.residents.listed()))

    # --- ends ----------------------------------------------------------------------------------------------------

    def _charge(self, activity: Activity, seconds: float) -> None:
        activity.used += seconds
        if activity.order.session in self._used:
            self._used[activity.order.session] += seconds

    def _let_go(self, activity: Activity) -> None:
        """Close the generator and give its leases back; whoever was short of memory may try again."""
        leased = activity.modules is not None
        self._line.leave(activity)
        try:
            with self._grad[activity.order.mode]:
                activity.close()
        except Exception:
            log.exception("run %d of %s failed while it was closed", activity.order.run, activity.order.target)
        if leased:
            self.residents.release(activity.order.models, activity.working)
            self._line.call()

    def _end(self, activity: Activity, outcome: str, error: errors.VisitorError | None = None) -> None:
        order = activity.order
        if self._activities.pop(order.run, None) is None:
            return
        try:
            activity.flush()
        except Exception:
            log.exception("the last frame of run %d could not be sent", order.run)
            outcome, error = "failed", errors.JobFailed(_DEFECT)
        self._let_go(activity)
        self._runs[order.session] -= 1
        if not self._runs[order.session]:
            del self._runs[order.session], self._used[order.session]
        name = type(error).__name__ if error is not None else ""
        self._emit(wire.End(order.run, outcome, name, str(error) if error is not None else ""))


def _public(error: errors.VisitorError) -> type[errors.VisitorError]:
    """The nearest class in engines.runtime.errors: an engine's own subclass might import torch into the hub."""
    return next(each for each in type(error).__mro__ if each.__module__ == errors.__name__)
