"""The share of each cap that this process has taken, and what its calls reserve of it. Used on the loop only.

A purse asks the bank (the database, on a thread) for more before it is empty, so that a call nearly never waits; one
question at a time, whose answer all waiting calls share.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from moor.domain.budget import WARN_AT, Cap, Standing
from moor.errors.base import BugError, MoorError
from moor.gateway import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from moor.clock import Clock
    from moor.domain.session import Session
    from moor.gateway.live import CapUse
    from moor.ledger.leases import Ask, Grant

_log = logging.getLogger(__name__)
_FLOAT: Final = 64
"""the part of a cap that an idle process may keep"""
_IDLE_S: Final = 1.0
"""what no call needs for this long goes back, so that other processes can have it"""
_TICK_S: Final = 0.01
_MINUTE_S: Final = 60.0


class Bank(Protocol):
    """Where slices come from; `moor.ledger.bank.LedgerBank` in earnest. All of it BLOCKS."""

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """A part of the cap in the period that was at that time, or nothing. Raises MoorError."""
        ...

    def give_back(self, lease: int, amount: int) -> None:
        """Return what is not needed now. Raises MoorError."""
        ...

    def settle(self, leases: list[int]) -> None:
        """End leases. Raises MoorError."""
        ...


class NoBank:
    """For a gateway that was given none: nothing is let through where a cap holds."""

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """Raises BugError."""
        raise BugError(f"no bank to take {cap.name} from: {ask}, {lease}, {at}")

    def give_back(self, lease: int, amount: int) -> None:
        """Nothing was taken."""

    def settle(self, leases: list[int]) -> None:
        """Nothing was taken."""


class Purse:
    """One scope of one cap, as this process knows it."""

    def __init__(self, cap: Cap, at: float, book: PurseBook) -> None:
        self.cap = cap
        self.limit = cap.limit
        """as the bank last said: a person may have raised it"""
        self.at = at
        """a time in its period: a call that goes on over midnight counts to the day on which it began"""
        self.free = 0
        """taken and not reserved by a call; below 0 where a call cost more than it had reserved"""
        self.lease = 0
        self.standing: Standing | None = None
        """as the bank last said"""
        self.outside = 0
        """free at the bank when it last answered"""
        self.problem: MoorError | None = None
        """why the bank could not answer"""
        self.asking = False
        self.answers = 0
        """of the bank so far"""
        self.refused = False
        """the bank has nothing, or could not answer"""
        self.reserved = 0
        """by the calls that run"""
        self.whole = 0
        """of it by calls whose answer comes in one piece: mostly far more than they cost"""
        self.calls = 0
        self.idle_since = 0.0
        self.watched = False
        """somebody will look whether it is idle"""
        self._used = 0
        self._others = 0
        """held by other processes when the bank last answered"""
        self._book = book
        self._waiting: dict[Callable[[], None], None] = {}
        """who waits for the bank, each once, in their order"""
        self._patient: dict[Callable[[], None], asyncio.TimerHandle] = {}
        """who waits for a part of `whole`, in their order"""

    @property
    def left(self) -> int:
        """What a call could have at most, as far as known here."""
        return max(0, self.free) + self.outside

    @property
    def debt(self) -> int:
        """What calls have cost beyond what was taken: a question to the bank asks for it too."""
        return max(0, -self.free)

    def reserve(self, amount: int) -> int:
        """Up to that much for a call, out of what is free here."""
        got = max(0, min(amount, self.free))
        self.free -= got
        self.reserved += got
        return got

    def ask(self, ask: Ask, then: Callable[[], None] | None = None) -> None:
        """Have the bank asked; `then` is called once it has answered, whatever it said. The same one is called once,
        however often it asks."""
        if then is not None:
            self._waiting[then] = None
        if not self.asking:
            self.asking = True
            self._book.ask_bank(self, ask)

    def answered(self, grant: Grant | MoorError) -> None:
        """What the bank said."""
        self.asking = False
        self.answers += 1
        if isinstance(grant, MoorError):
            self.problem, self.refused = grant, True
        else:
            # an answer of nothing to one who needs more than is there leaves the rest to others
            self.problem, self.refused = None, not grant.amount and grant.standing.free <= 0
            self.standing, self.outside = grant.standing, grant.standing.free
            self.limit = grant.standing.cap.limit
            self.lease = grant.lease or self.lease
            self.free += grant.amount
            self._others = max(0, grant.standing.held - grant.own)
        waiting, self._waiting = self._waiting, {}
        for then in waiting:
            try:
                then()
            except Exception:  # noqa: BLE001 - a bug in one call: the others wait for the same answer
                _log.exception("a call met a bug when %s had been asked for", self.cap.name)

    def release(self, reserved: int) -> None:
        """A call that has not begun reserves nothing for now."""
        self.reserved -= reserved
        self.free += reserved

    def wait(self, seconds: float, then: Callable[[], None]) -> None:
        """`then` is called once a call has ended whose answer came in one piece, or after so many seconds. Who waits
        already goes on waiting as before."""

        def late() -> None:
            del self._patient[then]
            then()

        if then not in self._patient:
            self._patient[then] = asyncio.get_running_loop().call_later(seconds, late)

    def settled(self, reserved: int, actual: int, whole: int = 0) -> None:
        """A call ended: it had reserved this much and cost that much. `whole`: what it had for an answer in one
        piece, for which others may wait."""
        self.whole -= whole
        if whole and self._patient:
            loop = asyncio.get_running_loop()
            for then, timer in self._patient.items():
                timer.cancel()
                loop.call_soon(then)
            self._patient.clear()
        self.reserved -= reserved
        self.free += reserved - actual
        self.calls -= 1
        if self.free > 0:
            self.refused = False
        if not self.calls:
            self._book.idle(self)

    def forget_standing(self) -> None:
        """What the bank said is old now; the used amount stays known."""
        self._used, self.standing, self.outside = self.used, None, 0

    @property
    def used(self) -> int:
        """Spent as far as known here. Not what the ledger says: its rows are committed a moment later."""
        if self.standing is None:
            return self._used
        # what the ledger says where that is more: a cap may have been lowered below what was spent
        return max(self.standing.spent, self.limit - self.left - self.reserved - self._others)

    @property
    def has_much(self) -> bool:
        """Whether more than half of the cap is surely left: seen at a glance after each call."""
        return self.standing is not None and self.free + self.outside > self.limit >> 1

    @property
    def percent(self) -> int:
        """Used share of the cap."""
        return 100 if self.limit <= 0 else min(100, self.used * 100 // self.limit)


class PurseBook:
    """All purses of a gateway. `told`: called with a session and a cap's purse when a warning is due."""

    def __init__(self, bank: Bank, clock: Clock, told: Callable[[Session, Purse, int], None] | None = None) -> None:
        self._bank = bank
        self._clock = clock
        self._monotonic: Callable[[], float] = clock.monotonic
        self._told = told
        self._purses: dict[tuple[str, str], Purse] = {}
        self._known: dict[tuple[str, str], tuple[Session, float, list[Purse]]] = {}
        """by session and upstream: the purses, and until when they are the right ones"""
        self._warned: dict[tuple[str, str, str, int], int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, session: Session, upstream: str) -> list[Purse]:
        """The purses that the session's calls to that upstream draw on now."""
        now = self._clock.now()
        place = (session.id, upstream)
        known = self._known.get(place)
        if known is not None and known[0] is session and known[1] - _MINUTE_S <= now < known[1]:
            return known[2]
        purses = [self._purse(cap, now) for cap in session.all_caps() if cap.upstream in ("", upstream)]
        # scopes of days and months change at midnight; a clock that is set is followed within a minute
        self._known[place] = (session, now - now % _MINUTE_S + _MINUTE_S, purses)
        return purses

    def _purse(self, cap: Cap, now: float) -> Purse:
        scope = cap.scope(now)
        purse = self._purses.get((scope, cap.unit))
        if purse is None:
            purse = self._purses[scope, cap.unit] = Purse(cap, now, self)
        elif purse.cap is not cap and purse.cap != cap:
            purse.cap, purse.limit, purse.refused = cap, cap.limit, False
        return purse

    def ask_bank(self, purse: Purse, ask: Ask) -> None:
        """Ask on a thread; the purse is told on the loop."""
        self._start(asking.ask(self._bank, purse, ask))

    def idle(self, purse: Purse) -> None:
        """No call draws on the purse: give its rest back soon, unless one comes."""
        purse.idle_since = self._monotonic()
        if not purse.watched:  # one timer a purse: of calls one after the other each would start one
            purse.watched = True
            asyncio.get_running_loop().call_later(_IDLE_S, self._look, purse)

    def _look(self, purse: Purse) -> None:
        purse.watched = False
        if purse.calls:
            return  # it will be idle again
        rest_s = purse.idle_since + _IDLE_S - self._monotonic()
        if rest_s > _TICK_S:
            purse.watched = True
            asyncio.get_running_loop().call_later(rest_s, self._look, purse)
        else:
            self._give_back(purse)

    def _give_back(self, purse: Purse) -> None:
        if purse.calls or purse.asking or purse.free <= 0 or not purse.lease:
            return
        # a little stays, so that the next call need not wait for the bank
        amount = purse.free - purse.cap.limit // _FLOAT
        if amount <= 0:
            return
        purse.free -= amount
        # only what this process knows: the next question brings the truth
        purse.forget_standing()
        self._start(asking.give_back(self._bank, purse.lease, amount))

    def uses(self) -> list[CapUse]:
        """How far each cap is used, as far as known here, with what running calls have reserved."""
        from moor.gateway.live import CapUse

        return [
            CapUse(one.cap.name, one.cap.unit, one.used + one.reserved, one.limit) for one in self._purses.values()
        ]

    def warn(self, session: Session, purses: list[Purse]) -> None:
        """Tell once a session, cap, limit and step how far the cap is used."""
        if self._told is None:
            return
        for purse in purses:
            if purse.has_much or purse.percent < WARN_AT[0]:
                continue
            step = max((step for step in WARN_AT if purse.percent >= step), default=0)
            key = (session.id, purse.cap.name, purse.cap.unit, purse.limit)
            if step > self._warned.get(key, 0):
                self._warned[key] = step
                self._told(session, purse, step)

    def close(self) -> Coroutine[None, None, None]:
        """Await it, and nothing more is asked. Bounded by the database's own patience."""
        return asking.ended(self._tasks)

    def settle(self) -> None:
        """End all leases; called once every call is committed. BLOCKS."""
        leases = [purse.lease for purse in self._purses.values() if purse.lease]
        if leases:
            try:
                self._bank.settle(leases)
            except MoorError as error:
                _log.warning("the leases could not be ended: %s", error)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
