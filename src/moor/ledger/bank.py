"""Leases for one process. A cap that a person raised meanwhile counts from the next question on. BLOCKS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from moor.domain.budget import Cap
from moor.ledger import leases
from moor.ledger.leases import Ask, Grant, Owner
from moor.run import proc
from moor.store.sessions import SessionStore

if TYPE_CHECKING:
    from moor.clock import Clock
    from moor.store.home import Home


class LedgerBank:
    """Takes for this process. `session`: the one whose row names the limits in force; empty: as handed in."""

    def __init__(self, home: Home, clock: Clock, session: str = "") -> None:
        self._home = home
        self._clock = clock
        self._session = session
        self._owner = Owner(os.getpid(), proc.start_time(os.getpid()) or 0.0)

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """A part of the cap in the period of that time, or nothing. Raises the errors of `moor.errors.store`."""
        limit = self._limit_now(cap, at) if self._session else cap.limit
        if limit > cap.limit:
            cap = msgspec.structs.replace(cap, limit=limit)
        return leases.take(self._home, cap, self._owner, ask, at, lease)

    def give_back(self, lease: int, amount: int) -> None:
        """Return what is not needed now."""
        leases.give_back(self._home, lease, amount)

    def settle(self, open_leases: list[int]) -> None:
        """End leases whose calls are all committed."""
        leases.settle(self._home, open_leases, self._clock.now())

    def _limit_now(self, cap: Cap, at: float) -> int:
        store = SessionStore(self._home)
        try:
            session = store.get(self._session)
        finally:
            store.close()
        if session is None:
            return cap.limit
        place = (cap.scope(at), cap.unit)
        return next((one.limit for one in session.all_caps() if (one.scope(at), one.unit) == place), cap.limit)
