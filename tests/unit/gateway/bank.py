"""A bank without a disk: gives what the real one would, and remembers what it was asked."""

from __future__ import annotations

import threading

from moor.domain.budget import Cap, Standing
from moor.errors.base import MoorError
from moor.ledger.leases import Ask, Grant


class MemoryBank:
    """`spent`: by calls before; `others`: held by other processes."""

    def __init__(self, spent: int = 0, others: int = 0) -> None:
        self.spent = spent
        self.others = others
        self.taken = 0
        self.asked: list[Ask] = []
        self.problem: MoorError | None = None
        self.hold = threading.Event()
        self.hold.set()
        self._lock = threading.Lock()

    def take(self, cap: Cap, ask: Ask, lease: int) -> Grant:
        """As `moor.ledger.leases.take`."""
        self.hold.wait(10)
        if self.problem is not None:
            raise self.problem
        with self._lock:
            self.asked.append(ask)
            free = max(0, cap.limit - self.spent - self.others - self.taken)
            amount = min(free, max(ask.want, free // 8)) if free >= max(1, ask.least) else 0
            self.taken += amount
            after = Standing(cap=cap, scope=cap.scope(0.0), spent=self.spent, held=self.others + self.taken, lost=0)
            return Grant(lease=(lease or 1) if amount else 0, amount=amount, standing=after, own=self.taken)

    def give_back(self, lease: int, amount: int) -> None:
        """As the real one."""
        assert lease
        with self._lock:
            self.taken -= amount

    def settle(self, leases: list[int]) -> None:
        """Nothing to note."""
