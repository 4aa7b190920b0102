"""The processes, calls and banks of the model of caps."""

from __future__ import annotations

import asyncio
import os

from moor.clock import ManualClock
from moor.domain.budget import MONEY, Cap
from moor.domain.call import Call
from moor.domain.cost import cost_nano
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.errors.base import BugError
from moor.gateway.purse import PurseBook
from moor.gateway.spend import PAID_PIECE, Spend
from moor.ledger import leases
from moor.ledger.leases import Ask, Grant, Owner
from moor.run import proc
from moor.store.home import Home
from moor.wire.meter.base import BYTES_PER_TOKEN
from tests.unit.gateway.scripted import PRICE

BEYOND = PAID_PIECE // BYTES_PER_TOKEN
"""output tokens that a stream may pass a cap by"""
DEAD = 1 << 22
"""a pid above the largest"""
WHOLE, STREAM, ENDLESS = FORMS = ("whole", "stream", "endless")
"""in one piece, in pieces, and from an upstream that keeps to no limit"""
LIMITS = (600, 5_000, 40_000, 300_000)
INPUTS = (0, 50, 3_000)
CEILINGS = (1, 1_000, 32_000, 128_000)
PIECES = (1, 100, 3_000, 30_000, 300_000)
PATIENCE = 60.0
"""seconds that a call waits for others"""
NANO_A_TOKEN = PRICE.output // 1_000_000


def amount(unit: str, used: Usage) -> int:
    """In nano-dollars or tokens."""
    return (cost_nano(used, PRICE) or 0) if unit == MONEY else used.total


class Loop(asyncio.SelectorEventLoop):
    """A loop whose timers come when the test says so."""

    ahead = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[object] = []
        self.set_exception_handler(lambda _, what: self.problems.append(what.get("exception", what)))

    def time(self) -> float:
        """Part of the loop."""
        return super().time() + self.ahead


class Bank:
    """The leases of one process, as `LedgerBank` takes them."""

    def __init__(self, home: Home, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock
        self.owner = Owner(os.getpid(), proc.start_time(os.getpid()) or 0.0)
        self.leases: set[int] = set()
        self.dead = False

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """Part of `moor.gateway.purse.Bank`."""
        if self.dead:
            raise BugError("its process was killed")
        grant = leases.take(self.home, cap, self.owner, ask, at, lease)
        self.leases.add(grant.lease)
        return grant

    def give_back(self, lease: int, amount: int) -> None:
        """Part of the same."""
        if not self.dead:
            leases.give_back(self.home, lease, amount)

    def settle(self, leases_: list[int]) -> None:
        """Part of the same."""
        leases.settle(self.home, leases_, self.clock.now())


class Process:
    """A gateway: its purses, the calls that run in it, and the rows that wait to be committed."""

    def __init__(self, home: Home, clock: ManualClock) -> None:
        self.bank = Bank(home, clock)
        self.book = PurseBook(self.bank, clock)
        self.calls: list[Running] = []
        self.rows: list[Call] = []
        self.waiting: list[Spend] = []
        """calls that wait for others before they begin"""
        self.dead = False


class Running:
    """A call that began at that time. `limit`: output tokens of its answer."""

    def __init__(self, session: Session, spend: Spend, used: Usage, limit: int, at: float, form: str) -> None:
        self.session = session
        self.at = at
        self.spend = spend
        self.used = used
        self.limit = limit
        self.form = form
        self.comes = 0
        """tokens of its answer that have come and are not passed on"""
        self.unpaid = False
        """what was passed on has not been drawn yet"""
        self.over = False
