"""What happened in a session, appended off the loop. One writer a session."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final

from moor.domain.event import Event
from moor.errors.base import MoorError
from moor.journal.entry import Entry, to_row
from moor.store.batch import BatchWriter
from moor.store.db import opened
from moor.store.home import Home

_INSERT: Final = "INSERT OR IGNORE INTO events (session, seq, at, kind, body, raw) VALUES (?, ?, ?, ?, ?, ?)"


class Journal:
    """Numbers events and commits them in batches; opening it BLOCKS on SQLite, `append` never does."""

    def __init__(self, home: Home, session: str) -> None:
        self._session = session
        self._lock = threading.Lock()
        with opened(home) as connection:
            row = connection.execute("SELECT MAX(seq) FROM events WHERE session = ?", (session,)).fetchone()
        self._last = int(row[0] or 0)
        self._batch: BatchWriter[Entry] = BatchWriter(home, self._store, "moor-journal")

    @property
    def problem(self) -> MoorError | None:
        """Why the journal cannot be written now; None while it can."""
        return self._batch.problem

    def append(self, event: Event, at: float) -> int:
        """Accept an event; returns its number. `at`: seconds since the epoch."""
        with self._lock:
            self._last += 1
            self._batch.put(Entry(self._last, at, event))
            return self._last

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until the events accepted so far are committed; False when they were not in time. BLOCKS."""
        return self._batch.flush(timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Commit what waits and end the thread; False when events had to be given up. Bounded, idempotent."""
        return self._batch.close(timeout_s)

    def _store(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        connection.executemany(_INSERT, [to_row(self._session, entry) for entry in entries])
