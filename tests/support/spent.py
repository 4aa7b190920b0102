"""What the ledger says a session has spent."""

from __future__ import annotations

import time

from moor.domain.budget import MONEY, SESSION, Cap
from moor.ledger.leases import standing
from moor.store.home import Home


def spent_nano(home: Home, session: str) -> int:
    """Nano-dollars of its committed calls."""
    cap = Cap(name=SESSION, per=SESSION, unit=MONEY, limit=0, session=session)
    return standing(home, cap, time.time()).spent
