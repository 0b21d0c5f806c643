"""Who may run now, who waits and behind how many, and who is told that the house is full."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from engines.runtime import wire
from engines.runtime.errors import Busy
from engines.runtime.limits import Limits


@dataclass
class Ticket:
    """A run's place: waiting, running, or (while its reader is silent) parked and taking no place."""

    order: wire.Order
    running: bool = False
    parked: bool = False
    engine: int = -1        # index of the engine that runs it

    @property
    def active(self) -> bool:
        return self.running and not self.parked


class Admission:
    """Counts runs by session and in all. Thread-safe; calls nothing back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._tickets: dict[int, Ticket] = {}           # by run
        self._waiting: dict[int, Ticket] = {}           # those that wait, in the order they came
        self._active: Counter[str] = Counter()          # runs that take a place, by session
        self._total = 0                                 # and in all

    def enter(self, order: wire.Order) -> Ticket:
        """Take a ticket. Raises Busy when this visitor, or the gallery, has too many runs waiting already."""
        limits = self._limits
        with self._lock:
            ticket = Ticket(order)
            if not self._may_run(ticket):
                mine = sum(each.order.session == order.session for each in self._waiting.values())
                if mine >= limits.queued_per_session:
                    raise Busy(f"{mine} of your runs are waiting already; the limit is {limits.queued_per_session}: "
                               "let one end, or cancel one.")
                if len(self._waiting) >= limits.queued_in_all:
                    raise Busy(f"The gallery is full: {len(self._waiting)} runs are waiting, which is its limit: "
                               "try again in a minute.")
            self._tickets[order.run] = self._waiting[order.run] = ticket
            return ticket

    def next(self) -> list[Ticket]:
        """Tickets that may run now, marked as running: whoever runs least first, then first come, first served."""
        started = []
        with self._lock:
            while self._waiting:
                able = [each for each in self._waiting.values() if self._may_run(each)]
                if not able:
                    break
                ticket = min(able, key=lambda each: self._active[each.order.session])       # the first of the least
                del self._waiting[ticket.order.run]
                ticket.running = True
                self._count(ticket, 1)
                started.append(ticket)
        return started

    def leave(self, run: int) -> None:
        with self._lock:
            ticket = self._tickets.pop(run, None)
            self._waiting.pop(run, None)
            if ticket is not None and ticket.active:
                self._count(ticket, -1)

    def park(self, run: int, on: bool) -> None:
        with self._lock:
            ticket = self._tickets.get(run)
            if ticket is not None and ticket.parked != on:
                before = ticket.active
                ticket.parked = on
                self._count(ticket, ticket.active - before)

    def get(self, run: int) -> Ticket | None:
        return self._tickets.get(run)

    def ahead(self, run: int) -> int:
        """How many waiting runs came before this one."""
        with self._lock:
            return list(self._waiting).index(run) if run in self._waiting else 0

    def counts(self) -> tuple[int, int]:
        """(running, queued)."""
        with self._lock:
            return self._total, len(self._waiting)

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

    def _count(self, ticket: Ticket, change: int) -> None:
        session = ticket.order.session
        self._total += change
        self._active[session] += change
        if not self._active[session]:
            del self._active[session]       # or every visitor there ever was would leave a zero

    def _may_run(self, ticket: Ticket) -> bool:
        limits = self._limits
        return self._total < limits.running_in_all and \
            self._active[ticket.order.session] < limits.running_per_session
