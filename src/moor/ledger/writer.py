"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from moor.domain.call import Call
from moor.errors.base import MoorError
from moor.store.batch import BatchWriter
from moor.store.home import Home
from moor.store.rows import cells, fields, insert_sql

_USAGE: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_COLUMNS: Final = tuple(name for name in Call.__struct_fields__ if name != "usage") + _USAGE
_INSERT: Final = insert_sql("calls", _COLUMNS, "INSERT OR IGNORE")
_COUNTS: Final = ("duration_ms", "request_bytes", "response_bytes", "attempts", "status", *_USAGE)


class LedgerWriter:
    """Accepts calls from any thread and commits them in batches (see `moor.store.batch` for the bounds)."""

    def __init__(self, home: Home) -> None:
        self._batch: BatchWriter[Call] = BatchWriter(home, insert_calls, "moor-ledger")

    @property
    def healthy(self) -> bool:
        """False while the ledger cannot be written: the gateway then refuses new calls."""
        return self._batch.healthy

    @property
    def problem(self) -> MoorError | None:
        """Why the ledger cannot be written now."""
        return self._batch.problem

    def put(self, call: Call) -> None:
        """Accept a finished call; never blocks."""
        self._batch.put(call)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until the calls accepted so far are committed; False when they were not in time. BLOCKS."""
        return self._batch.flush(timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Commit what waits and end the thread; False when calls had to be given up. Bounded, idempotent."""
        return self._batch.close(timeout_s)


def insert_calls(connection: sqlite3.Connection, calls: Sequence[Call]) -> None:
    """Insert calls in the transaction that is open; one that is there already stays as it is."""
    connection.executemany(_INSERT, [_row(call) for call in calls])


def _row(call: Call) -> dict[str, str | int | float | None]:
    values = fields(call)
    del values["usage"]
    row = cells({**values, **fields(call.usage)})
    for name in _COUNTS:
        row[name] = max(0, int(row[name] or 0))
    return row
