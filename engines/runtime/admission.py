"""Who may run now, who waits and behind how many, and who is told that the house is full."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from engines.runtime import wire
from engines.runtime.errors import Busy
from engines.runtime.limits import Limits


@dataclass
class Ticket:
    """A run's place: waiting, running, or (while its reader is silent) parked and taking no place."""

    order: wire.Order
    running: bool = False
    parked: bool = False
    engine: int = field(default=-1)     # index of the engine that runs it


class Admission:
    """Counts runs by session and in all. Thread-safe; calls nothing back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._tickets: dict[int, Ticket] = {}      # by run, in the order they came

    def enter(self, order: wire.Order) -> Ticket:
        """Take a ticket. Raises Busy when this visitor, or the gallery, has too many runs waiting already."""
        limits = self._limits
        with self._lock:
            waiting = [each for each in self._tickets.values() if not each.running]
            mine = sum(each.order.session == order.session for each in waiting)
            ticket = Ticket(order)
            if not self._may_run(ticket, self._active()):
                if mine >= limits.queued_per_session:
                    raise Busy(f"{mine} of your runs are waiting already; the limit is {limits.queued_per_session}: "
                               "let one end, or cancel one.")
                if len(waiting) >= limits.queued_in_all:
                    raise Busy(f"The gallery is full: {len(waiting)} runs are waiting, which is its limit: "
                               "try again in a minute.")
            self._tickets[order.run] = ticket
            return ticket

    def next(self) -> list[Ticket]:
        """Tickets that may run now, marked as running: whoever runs least first, then first come, first served."""
        started = []
        with self._lock:
            while True:
                active = self._active()
                waiting = [each for each in self._tickets.values() if not each.running and self._may_run(each, active)]
                if not waiting:
                    return started
                ticket = min(waiting, key=lambda each: active[each.order.session])      # the first of the least
                ticket.running = True
                started.append(ticket)

    def leave(self, run: int) -> None:
        with self._lock:
            self._tickets.pop(run, None)

    def park(self, run: int, on: bool) -> None:
        with self._lock:
            if run in self._tickets:
                self._tickets[run].parked = on

    def get(self, run: int) -> Ticket | None:
        with self._lock:
            return self._tickets.get(run)

    def ahead(self, run: int) -> int:
        """How many waiting runs came before this one."""
        with self._lock:
            count = 0
            for each, ticket in self._tickets.items():
                if each == run:
                    return 0 if ticket.running else count
                count += not ticket.running
            return 0

    def counts(self) -> tuple[int, int]:
        """(running, queued)."""
        with self._lock:
            return self._active().total(), sum(not each.running for each in self._tickets.values())

    def of(self, session: str) -> list[int]:
        with self._lock:
            return [run for run, each in self._tickets.items() if each.order.session == session]

    def on(self, engine: int) -> list[int]:
        """Runs that an engine holds."""
        with self._lock:
            return [run for run, each in self._tickets.items() if each.running and each.engine == engine]

    def loads(self) -> Counter[int]:
        """How many runs each engine holds."""
        with self._lock:
            return Counter(each.engine for each in self._tickets.values() if each.running)

    def all(self) -> list[int]:
        with self._lock:
            return list(self._tickets)

    def _active(self) -> Counter[str]:
        """Runs that take a place, by session."""
        return Counter(each.order.session for each in self._tickets.values() if each.running and not each.parked)

    def _may_run(self, ticket: Ticket, active: Counter[str]) -> bool:
        limits = self._limits
        return active[ticket.order.session] < limits.running_per_session and active.total() < limits.running_in_all
