"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from moor.domain.call import Call
from moor.errors.base import MoorError
from moor.store.batch import BatchWriter
from moor.store.home import Home
from moor.store.rows import INT_MAX, Cell, cell

_SHARED: Final = (
    *("session", "agent", "agent_session", "parent_session", "upstream", "dialect", "model", "outcome"),
    *("price_source", "price_date", "error", "status", "attempts", "stream", "estimated", "rules", "asked", "tags"),
)
"""what most calls of a session have in common: bound once for many rows, as binding is the dearest part of one"""
_OWN: Final = (
    *("id", "started_at", "first_byte_ms", "duration_ms", "request_bytes", "response_bytes"),
    *("input", "output", "cache_read", "cache_write", "reasoning", "cost_nano"),
)
_NUMBERED: Final = not (3, 12) <= sys.version_info < (3, 12, 4)
"""Python 3.12.0 to 3.12.3 take `?1` for a name and warn of each such value (CPython issue 117995)"""
_GROUP: Final = 16 if _NUMBERED else 1
_SLICE: Final = 64
"""calls that are made ready at once: the interpreter's lock is held for so long"""


def _sign(number: int) -> str:
    return f"?{number}" if _NUMBERED else "?"


def _insert(rows: int) -> str:
    """One statement for that many rows of one kind: SQLite is entered once, and the lock changes hands once."""
    first = len(_SHARED) + 1
    shared = ", ".join([_sign(number) for number in range(1, first)])
    values = [
        f"({shared}, {', '.join([_sign(first + row * len(_OWN) + place) for place in range(len(_OWN))])})"
        for row in range(rows)
    ]
    columns = ", ".join((*_SHARED, *_OWN))
    return f"INSERT OR IGNORE INTO calls ({columns}) VALUES {', '.join(values)}"  # noqa: S608 - names of ours


_INSERT: Final = _insert(1)
_INSERT_GROUP: Final = _insert(_GROUP)


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
    for start in range(0, len(calls), _SLICE):
        for shared, own in _kinds(calls[start : start + _SLICE]):
            _insert_kind(connection, shared, own)
    if tried := [(cell(call.tries), call.id) for call in calls if call.tries]:
        connection.executemany("UPDATE calls SET tries = ? WHERE id = ?", tried)
    if hours := [(_count(call.usage.cache_write_1h), call.id) for call in calls if call.usage.cache_write_1h]:
        connection.executemany("UPDATE calls SET cache_write_1h = ? WHERE id = ?", hours)
    if draws := [draw for call in calls for draw in call.draws]:
        from moor.ledger.leases import charge

        charge(connection, draws)


def _insert_kind(connection: sqlite3.Connection, shared: list[Cell], own: list[Cell]) -> None:
    size = _GROUP * len(_OWN)
    whole = len(own) - len(own) % size
    for start in range(0, whole, size):
        connection.execute(_INSERT_GROUP, shared + own[start : start + size])
    for start in range(whole, len(own), len(_OWN)):
        connection.execute(_INSERT, shared + own[start : start + len(_OWN)])


def _kinds(calls: Sequence[Call]) -> Iterable[tuple[list[Cell], list[Cell]]]:
    """The calls by what they share, each kind with the own columns of its calls one after the other."""
    # fmt: off
    kinds: dict[tuple[object, ...], tuple[list[Cell], list[Cell]]] = {}
    for call in calls:
        texts = (
            call.session, call.agent, call.agent_session, call.parent_session, call.upstream, call.dialect,
            call.model, call.outcome, call.price_source, call.price_date, call.error, call.status, call.attempts,
            call.stream, call.estimated, call.rules, call.asked,
        )
        # the tags of a session's calls are one object, and a comparison of two would cost more than it saves
        key = (texts, id(call.tags))
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = ([*map(cell, texts), cell(call.tags)], [])
        used, started, first, cost = call.usage, call.started_at, call.first_byte_ms, call.cost_nano
        kind[1].extend((
            call.id if call.id.isascii() else cell(call.id),
            started if started == started else 0.0,  # SQLite would store NaN as NULL
            None if first is None else _count(first),
            _count(call.duration_ms), _count(call.request_bytes), _count(call.response_bytes),
            _count(used.input), _count(used.output), _count(used.cache_read), _count(used.cache_write),
            _count(used.reasoning),
            cost if cost is None or -INT_MAX <= cost <= INT_MAX else cell(cost),
        ))
    # fmt: on
    return kinds.values()


def _count(number: int) -> int:
    """A number of ours as it can be stored: not below 0 and not above what SQLite and JSON hold exactly."""
    return max(0, min(number, INT_MAX))
