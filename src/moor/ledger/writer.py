"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
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
    *("started_at", "first_byte_ms", "stream", "estimated", "cost_nano", "rules", "tags", "asked"),
)
_ROW: Final = f"({', '.join('?' * len(_COLUMNS))})"
_INSERT: Final = f"INSERT OR IGNORE INTO calls ({', '.join(_COLUMNS)}) VALUES {_ROW}"  # noqa: S608 - names of ours
_GROUP: Final = 16
_INSERT_GROUP: Final = _INSERT + f", {_ROW}" * (_GROUP - 1)
"""one statement for many rows: SQLite is entered once, and the interpreter's lock changes hands once"""


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
    rows = [_row(call) for call in calls]
    grouped = len(rows) - len(rows) % _GROUP
    for start in range(0, grouped, _GROUP):
        connection.execute(_INSERT_GROUP, [*chain.from_iterable(rows[start : start + _GROUP])])
    if grouped < len(rows):
        connection.executemany(_INSERT, rows[grouped:])
    if tried := [(cell(call.tries), call.id) for call in calls if call.tries]:
        connection.executemany("UPDATE calls SET tries = ? WHERE id = ?", tried)
    if hours := [(_count(call.usage.cache_write_1h), call.id) for call in calls if call.usage.cache_write_1h]:
        connection.executemany("UPDATE calls SET cache_write_1h = ? WHERE id = ?", hours)
    if draws := [draw for call in calls for draw in call.draws]:
        from moor.ledger.leases import charge

        charge(connection, draws)


def _row(call: Call) -> tuple[Cell, ...]:
    """The columns in their order. Spelled out: this is the dearest part of a row on the gateway's CPU."""
    used = call.usage
    # fmt: off
    texts = (
        call.id, call.session, call.agent, call.agent_session, call.parent_session, call.upstream, call.dialect,
        call.model, call.outcome, call.price_source, call.price_date, call.error,
    )
    counts = (
        call.duration_ms, call.status, call.attempts, call.request_bytes, call.response_bytes,
        used.input, used.output, used.cache_read, used.cache_write, used.reasoning,
    )
    # fmt: on
    started, cost, first = call.started_at, call.cost_nano, call.first_byte_ms
    return (
        *(texts if "".join(texts).isascii() else map(cell, texts)),
        *(counts if min(counts) >= 0 and max(counts) <= INT_MAX else map(_count, counts)),
        started if started == started else 0.0,  # SQLite would store NaN as NULL
        None if first is None else _count(first),
        1 if call.stream else 0,  # a bool is adapted by SQLite's module, at the price of three numbers
        1 if call.estimated else 0,
        cost if cost is None or -INT_MAX <= cost <= INT_MAX else cell(cost),
        cell(call.rules) if call.rules else "[]",
        cell(call.tags) if call.tags else "{}",
        cell(call.asked) if call.asked else "",
    )


def _count(number: int) -> int:
    """A number of ours as it can be stored: not below 0 and not above what SQLite and JSON hold exactly."""
    return max(0, min(number, INT_MAX))
