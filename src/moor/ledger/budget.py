"""What a session has spent, for the money cap; and the lease table that slices will use (decision 6)."""

from __future__ import annotations

from moor.ledger.sums import exact, exact_sum
from moor.store.db import opened
from moor.store.home import Home


def spent_nano(home: Home, session_id: str) -> int:
    """Nano-dollars of all committed calls of the session, estimated ones included; calls without a known
    price count nothing. BLOCKS on SQLite."""
    with opened(home, write=False) as connection:
        row = connection.execute(
            f"SELECT {exact_sum('cost_nano')} FROM calls WHERE session = ?",  # noqa: S608 - a column of ours
            (session_id,),
        ).fetchone()
    return exact(row, "cost_nano")
