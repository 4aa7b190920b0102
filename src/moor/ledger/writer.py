"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import astuple

from moor.domain.call import Call
from moor.errors.base import MoorError
from moor.store.batch import BatchWriter
from moor.store.home import Home
from moor.store.rows import INT_MAX, Cell, cell

_FIELDS: Final = Call.__struct_fields__
_FIRST_OWN: Final = _FIELDS.index("started_at")
_SHARED: Final = _FIELDS[1:_FIRST_OWN]
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
    rest = _Rest()
    for start in range(0, len(calls), _SLICE):
        for shared, own in _kinds(calls[start : start + _SLICE], rest):
            _insert_kind(connection, shared, own)
    if rest.tries:
        connection.executemany("UPDATE calls SET tries = ? WHERE id = ?", rest.tries)
    if rest.hours:
        connection.executemany("UPDATE calls SET cache_write_1h = ? WHERE id = ?", rest.hours)
    if rest.draws:
        from moor.ledger.leases import charge

        charge(connection, rest.draws)


class _Rest:
    """What few calls have, and what does not go into their rows."""

    def __init__(self) -> None:
        self.tries: list[tuple[Cell, str]] = []
        self.hours: list[tuple[int, str]] = []
        self.draws: list[tuple[int, int]] = []


def _insert_kind(connection: sqlite3.Connection, shared: list[Cell], own: list[Cell]) -> None:
    size = _GROUP * len(_OWN)
    whole = len(own) - len(own) % size
    for start in range(0, whole, size):
        connection.execute(_INSERT_GROUP, shared + own[start : start + size])
    for start in range(whole, len(own), len(_OWN)):
        connection.execute(_INSERT, shared + own[start : start + len(_OWN)])


def _kinds(calls: Sequence[Call], rest: _Rest) -> Iterable[tuple[list[Cell], list[Cell]]]:
    """The calls by what they share, each kind with the own columns of its calls one after the other."""
    kinds: dict[tuple[object, ...], tuple[list[Cell], list[Cell]]] = {}
    for call in calls:
        row = astuple(call)  # a field read by its name costs as much as ten of a tuple
        # the tags of a session's calls are one object, and a comparison of two would cost more than it saves
        tags = row[_FIRST_OWN - 1]
        key = (row[1 : _FIRST_OWN - 1], id(tags))
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = ([cell(value) for value in row[1:_FIRST_OWN]], [])
        started, first, duration, asked_bytes, told_bytes, usage, cost, tries, draws = row[_FIRST_OWN:]
        used = astuple(usage)
        name: str = row[0]
        # fmt: off
        kind[1].extend((
            name if name.isascii() else cell(name),
            started if started == started else 0.0,  # SQLite would store NaN as NULL
            None if first is None else _count(first),
            _count(duration), _count(asked_bytes), _count(told_bytes),
            _count(used[0]), _count(used[1]), _count(used[2]), _count(used[3]), _count(used[4]),
            cost if cost is None or -INT_MAX <= cost <= INT_MAX else cell(cost),
        ))
        # fmt: on
        if used[5]:
            rest.hours.append((_count(used[5]), name))
        if tries:
            rest.tries.append((cell(tries), name))
        rest.draws.extend(draws)
    return kinds.values()


def _count(number: int) -> int:
    """A number of ours as it can be stored: not below 0 and not above what SQLite and JSON hold exactly."""
    return max(0, min(number, INT_MAX))
