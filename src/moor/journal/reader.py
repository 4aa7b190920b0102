"""Events of a session, from any number on."""

from __future__ import annotations

from moor.journal.entry import Entry, from_row
from moor.store.db import opened
from moor.store.home import Home


def read_events(home: Home, session: str, after: int = 0, limit: int = 500) -> list[Entry]:
    """Committed events with a number above `after`, in order, at most `limit`. BLOCKS on SQLite."""
    if not home.db_path.exists():
        return []
    with opened(home, write=False) as connection:
        rows = connection.execute(
            "SELECT seq, at, body, raw FROM events WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?",
            (session, after, limit),
        ).fetchall()
    return [from_row(row["seq"], row["at"], row["body"], row["raw"]) for row in rows]
