"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from moor.domain.call import Call
from moor.errors.base import MoorError
from moor.store.batch import BatchWriter
from moor.store.home import Home
from moor.store.rows import INT_MAX, Cell, cell

_COLUMNS: Final = (
    *("id", "session", "agent", "agent_session", "parent_session", "upstream", "dialect", "model"),
    *("outcome", "price_source", "price_date", "error"),
    *("duration_ms", "status", "attempts", "request_bytes", "response_bytes"),
    *("input", "output", "cache_read", "cache_write", "reasoning"),
    *("started_at", "first_byte_ms", "stream", "estimated", "cost_nano", "rules", "tags"),
)
_INSERT: Final = (
    f"INSERT OR IGNORE INTO calls ({', '.join(_COLUMNS)}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)


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


def _row(call: Call) -> tuple[Cell, ...]:
    """The columns in their order. Spelled out: this is the dearest part of a row on the gateway's CPU."""
    used = call.usage
    return (
        *[
            text if text.isascii() else cell(text)
            for text in (
                *(call.id, call.session, call.agent, call.agent_session, call.parent_session, call.upstream),
                *(call.dialect, call.model, call.outcome, call.price_source, call.price_date, call.error),
            )
        ],
        *[
            count if 0 <= count <= INT_MAX else max(0, min(count, INT_MAX))
            for count in (
                *(call.duration_ms, call.status, call.attempts, call.request_bytes, call.response_bytes),
                *(used.input, used.output, used.cache_read, used.cache_write, used.reasoning),
            )
        ],
        cell(call.started_at),
        cell(call.first_byte_ms),
        call.stream,
        call.estimated,
        cell(call.cost_nano),
        cell(call.rules) if call.rules else "[]",
        cell(call.tags) if call.tags else "{}",
    )
