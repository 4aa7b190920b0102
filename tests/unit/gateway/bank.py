"""A bank without a disk: gives what the real one would, and remembers what it was asked."""

from __future__ import annotations

import threading
import time

from moor.domain.budget import Cap, Standing
from moor.ledger.leases import Ask, Grant


class MemoryBank:
    """`spent`: by calls before; `others`: held by other processes."""

    def __init__(self, spent: int = 0, others: int = 0) -> None:
        self.spent = spent
        self.others = others
        self._taken: dict[tuple[str, str], int] = {}
        """by scope and unit; a lease is the place in here, from 1"""
        self.asked: list[Ask] = []
        self.problem: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """In all scopes."""
        return sum(self._taken.values())

    def taken_of(self, cap: Cap) -> int:
        """In one cap's scope of today."""
        return self._taken.get((cap.scope(time.time()), cap.unit), 0)

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """As `moor.ledger.leases.take`."""
        self.hold.wait(10)
        if self.problem is not None:
            raise self.problem
        with self._lock:
            self.asked.append(ask)
            place = cap.scope(at), cap.unit
            taken = self._taken.setdefault(place, 0)
            free = max(0, cap.limit - self.spent - self.others - taken)
            amount = min(free, max(ask.want, free // 8)) if free >= max(1, ask.least) else 0
            self._taken[place] = taken = taken + amount
            after = Standing(cap=cap, scope=place[0], spent=self.spent, held=self.others + taken, lost=0)
            own = lease or list(self._taken).index(place) + 1
            return Grant(lease=own if amount else 0, amount=amount, standing=after, own=taken)

    def give_back(self, lease: int, amount: int) -> None:
        """As the real one."""
        assert lease
        with self._lock:
            self._taken[list(self._taken)[lease - 1]] -= amount

    def settle(self, leases: list[int]) -> None:
        """Nothing to note."""
