"""Model calls into the ledger: append-only, off the loop, one thread a gateway process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from moor.domain.call import Call
from moor.domain.usage import Usage
from moor.errors.base import MoorError
from moor.store.batch import BatchWriter
from moor.store.home import Home
from moor.store.rows import INT_MAX, Cell, cell
from moor.store.schema_calls import GROUP, QUARTER_S
from moor.wire.words import holds

_FIELDS: Final = Call.__struct_fields__
_FIRST_OWN: Final = _FIELDS.index("started_at")
_TAGS: Final = _FIRST_OWN - 1
_TRIES: Final = _FIELDS.index("tries")
_DRAWS: Final = _FIELDS.index("draws")
_INSERT: Final = f"INSERT OR IGNORE INTO call_groups ({', '.join(GROUP)}) VALUES ({', '.join('?' * len(GROUP))})"  # noqa: S608
_SLICE: Final = 64
"""calls that are made ready at once: the interpreter's lock is held for so long"""
_OF_TOTAL: Final = 4
"""the first kinds of tokens of `Usage`, which its others are parts of"""
_encode: Final = msgspec.json.encode
_LAST_S: Final = 1e12
"""a later beginning is none"""


class LedgerWriter:
    """Accepts calls from any thread and commits them in batches (see `moor.store.batch` for the bounds)."""

    def __init__(self, home: Home) -> None:
        self._batch: BatchWriter[Call] = BatchWriter(home, self._insert, "moor-ledger")
        self._tried = ""

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

    def _insert(self, connection: sqlite3.Connection, calls: Sequence[Call]) -> None:
        again = self._tried == calls[0].id
        self._tried = calls[0].id
        if again:  # a commit that failed may have come to pass all the same
            calls = _not_stored(connection, calls)
        insert_calls(connection, calls)


def insert_calls(connection: sqlite3.Connection, calls: Sequence[Call]) -> None:
    """Insert calls in the transaction that is open; a group that is there already stays as it is."""
    draws: list[tuple[int, int]] = []
    for start in range(0, len(calls), _SLICE):
        for kind in _kinds(calls[start : start + _SLICE]):
            connection.execute(_INSERT, _row(kind))
            for row in kind:
                draws.extend(row[_DRAWS])
    if draws:
        from moor.ledger.leases import charge

        charge(connection, draws)


def _not_stored(connection: sqlite3.Connection, calls: Sequence[Call]) -> list[Call]:
    ids = [str(cell(call.id)) for call in calls]
    found = connection.execute(
        "SELECT id FROM calls WHERE group_id IN (SELECT id FROM call_groups WHERE id >= ? AND first_id <= ?)",
        (min(ids), max(ids)),
    )
    stored = {row["id"] for row in found}
    return [call for call, name in zip(calls, ids, strict=True) if name not in stored]


def _kinds(calls: Sequence[Call]) -> list[list[tuple[Any, ...]]]:
    """The calls as tuples, by what they share."""
    kinds: dict[tuple[object, ...], list[tuple[Any, ...]]] = {}
    last: list[tuple[Any, ...]] = []
    shared: tuple[Any, ...] = ()
    rest: tuple[object, ...] = ()
    for call in calls:
        row = astuple(call)  # a field read by its name costs as much as ten of a tuple
        # the tags of a session's calls are one object, and a comparison of two would cost more than it saves
        found = (id(row[_TAGS]), row[_FIRST_OWN] // QUARTER_S, row[_TRIES])
        begin = row[1:_TAGS]
        if last and begin == shared and found == rest:  # of the same kind as the one before: no hash is needed
            last.append(row)
            continue
        shared, rest = begin, found
        last = kinds.setdefault((begin, found), [])
        last.append(row)
    return list(kinds.values())


def _row(kind: list[tuple[Any, ...]]) -> list[Cell]:
    """The values of one row."""
    return _group(kind) or _group([_storable(row) for row in kind], clean=True)


def _group(kind: list[tuple[Any, ...]], *, clean: bool = False) -> list[Cell]:
    """The same, or nothing where not all can be stored as it is; `clean`: it can. Columns are handled as wholes,
    which costs a third of a call after the other."""
    columns: list[Sequence[Any]] = list(zip(*kind, strict=True))
    names = columns[0]
    started, first, duration, asked_bytes, told_bytes, used, costs = columns[_FIRST_OWN:_TRIES]
    tokens: list[Sequence[Any]] = list(zip(*map(astuple, used), strict=True))
    counts = [duration, asked_bytes, told_bytes, *tokens]
    waits, known, unpriced = first, costs, 0
    if None in first:
        waits = [wait for wait in first if wait is not None]
    if None in costs:
        known = [cost for cost in costs if cost is not None]
        totals = [sum(each) for each in zip(*tokens[:_OF_TOTAL], strict=True)]
        unpriced = sum([cost is None and total > 0 for cost, total in zip(costs, totals, strict=True)])
    sums = [*map(sum, counts), sum(known)]
    own = b""
    if clean or (max(sums) <= INT_MAX and sum(waits) <= INT_MAX and 0 <= sum(started) <= _LAST_S):
        with suppress(UnicodeEncodeError):  # half a surrogate pair in an id
            own = _encode(list(zip(names, started, first, *counts, costs, strict=True)))
    if not clean and (not own or holds(own, b"-")):  # a number below 0, perhaps
        return []
    shared = [cell(value) for value in (*kind[0][1:_FIRST_OWN], kind[0][_TRIES])]
    told: list[Cell] = [*sums[3:-1], sums[-1] if known else None]
    return [max(names), min(names), *shared, min(started), max(started), len(kind), unpriced, *told, own.decode()]


def _storable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The call with numbers that can be stored, whatever a peer or a clock has told."""
    started, first, duration, asked_bytes, told_bytes, used, cost = row[_FIRST_OWN:_TRIES]
    return (
        str(cell(row[0])),
        *row[1:_FIRST_OWN],
        started if 0 <= started <= _LAST_S else 0.0,  # SQLite would store NaN as NULL, and JSON knows no infinity
        None if first is None else _count(first),
        *(_count(duration), _count(asked_bytes), _count(told_bytes)),
        Usage(*map(_count, astuple(used))),
        cell(cost),
        *row[_TRIES:],
    )


def _count(number: int) -> int:
    """Not below 0 and not above what SQLite and JSON hold exactly."""
    return max(0, min(number, INT_MAX))
