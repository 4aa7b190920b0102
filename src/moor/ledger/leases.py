"""Slices of a cap, taken by a process before it spends them (design, decision 6).

A lease is one process's share of one scope. What its calls cost is written to the lease in the transaction that
commits their rows, so that spent and held never count a call twice, whatever dies in between. The lease of a killed
process goes on counting: nobody knows what was under way. All functions BLOCK on SQLite.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from moor.domain.budget import MONEY, SESSION, Cap, Standing
from moor.domain.ids import CALL, time_floor
from moor.ledger.sums import exact, exact_sum
from moor.run import proc
from moor.store.db import opened, transaction
from moor.store.home import Home

_SHARE: Final = 8
"""a process takes at most this part of what is free, unless one call needs more"""
_TOKENS: Final = "(input + output + cache_read + cache_write)"
_FAMILY: Final = """
WITH RECURSIVE family(id) AS (
    SELECT :session UNION SELECT sessions.id FROM sessions JOIN family ON sessions.parent = family.id
)
"""


class Owner(msgspec.Struct, frozen=True):
    """The process that holds a lease."""

    pid: int
    start: float


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a process was given."""

    lease: int
    """id of its lease; 0 where it got nothing"""
    amount: int
    """0 where there was not enough"""
    standing: Standing
    """after it"""
    own: int = 0
    """how much of what is held the process's own lease holds"""


class Ask(msgspec.Struct, frozen=True):
    """How much a process asks for."""

    least: int
    """less is of no use"""
    want: int
    """all that is needed now"""


def take(home: Home, cap: Cap, owner: Owner, ask: Ask, now_s: float, lease: int = 0) -> Grant:
    """A part of the cap for this process, or nothing; `lease`: its own of this scope, which then grows."""
    with opened(home) as connection, transaction(connection):
        before = _standing(connection, cap, now_s)
        free = before.free
        amount = min(free, max(ask.want, free // _SHARE)) if free >= max(1, ask.least) else 0
        if amount:
            lease = _grow(connection, before, owner, lease, amount, now_s)
        after = msgspec.structs.replace(before, held=before.held + amount)
        row = connection.execute("SELECT taken, spent FROM leases WHERE id = ?", (lease,)).fetchone()
        own = _held(row) if row is not None else 0
        return Grant(lease=lease if amount else 0, amount=amount, standing=after, own=own)


def give_back(home: Home, lease: int, amount: int) -> None:
    """Return what is not needed now; the lease stays open."""
    with opened(home) as connection, transaction(connection):
        connection.execute("UPDATE leases SET taken = MAX(spent, taken - ?) WHERE id = ?", (amount, lease))


def settle(home: Home, leases: Sequence[int], now_s: float) -> None:
    """End leases whose calls are all committed: what was not spent is free again."""
    with opened(home) as connection, transaction(connection):
        connection.executemany(
            "UPDATE leases SET settled_at = ? WHERE id = ? AND settled_at IS NULL",
            [(now_s, lease) for lease in leases],
        )


def release_lost(home: Home, cap: Cap, now_s: float) -> int:
    """Free what killed processes held of the cap; the amount. Only for a person who was shown it."""
    with opened(home) as connection, transaction(connection):
        rows = [row for row in _open_leases(connection, cap.scope(now_s), cap.unit) if not _alive(row)]
        connection.executemany("UPDATE leases SET settled_at = ? WHERE id = ?", [(now_s, row["id"]) for row in rows])
        return sum(_held(row) for row in rows)


def standing(home: Home, cap: Cap, now_s: float) -> Standing:
    """How the cap stands."""
    with opened(home, write=False) as connection:
        return _standing(connection, cap, now_s)


def charge(connection: sqlite3.Connection, draws: Sequence[tuple[int, int]]) -> None:
    """Note what calls cost on their leases: (lease, amount), in the transaction that commits their rows."""
    sums: dict[int, int] = {}
    for lease, amount in draws:  # most calls of a batch draw on the same one
        sums[lease] = sums.get(lease, 0) + amount
    connection.executemany(
        "UPDATE leases SET spent = spent + ?, taken = MAX(taken, spent + ?) WHERE id = ?",
        [(amount, amount, lease) for lease, amount in sums.items()],
    )


def _grow(
    connection: sqlite3.Connection, found: Standing, owner: Owner, lease: int, amount: int, now_s: float
) -> int:
    if lease:
        changed = connection.execute(
            "UPDATE leases SET taken = taken + ? WHERE id = ? AND settled_at IS NULL", (amount, lease)
        )
        if changed.rowcount:
            return lease
    made = connection.execute(
        "INSERT INTO leases (scope, unit, owner_pid, owner_start, taken, spent, taken_at)"
        " VALUES (?, ?, ?, ?, ?, 0, ?)",
        (found.scope, found.cap.unit, owner.pid, owner.start, amount, now_s),
    )
    return int(made.lastrowid or 0)


def _standing(connection: sqlite3.Connection, cap: Cap, now_s: float) -> Standing:
    scope = cap.scope(now_s)
    held = lost = 0
    for row in _open_leases(connection, scope, cap.unit):
        if _alive(row):
            held += _held(row)
        else:
            lost += _held(row)
    return Standing(cap=cap, scope=scope, spent=_spent(connection, cap, now_s), held=held, lost=lost)


def _open_leases(connection: sqlite3.Connection, scope: str, unit: str) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT * FROM leases WHERE scope = ? AND unit = ? AND settled_at IS NULL", (scope, unit)
    ).fetchall()


def _alive(row: sqlite3.Row) -> bool:
    return proc.alive(int(row["owner_pid"]), float(row["owner_start"]))


def _held(row: sqlite3.Row) -> int:
    return max(0, int(row["taken"]) - int(row["spent"]))


def _spent(connection: sqlite3.Connection, cap: Cap, now_s: float) -> int:
    """By committed calls. Ids of calls sort by time, so that a period is found by the table's own key."""
    money = cap.unit == MONEY
    head = _FAMILY if cap.per == SESSION else ""
    where, values = _where(cap)
    since = cap.since(now_s)
    if since:
        values.update(first=time_floor(CALL, since), next=time_floor(CALL, cap.until(now_s)))
    whole = "id >= :first AND first_id >= :first AND id < :next" if since else "1"
    columns = exact_sum("cost_nano" if money else _TOKENS, "amount")
    spent = exact(
        connection.execute(f"{head} SELECT {columns} FROM call_groups WHERE {whole} AND {where}", values).fetchone(),  # noqa: S608 - columns of ours
        "amount",
    )
    if since:  # groups that are of two periods
        of_two = "first_id < :first OR (id >= :next AND first_id < :next)"
        cut = f"SELECT id FROM call_groups WHERE id >= :first AND ({of_two})"  # noqa: S608 - columns of ours
        own = "id >= :first AND id < :next"
        sql = f"{head} SELECT {columns} FROM calls WHERE group_id IN ({cut}) AND {own} AND {where}"  # noqa: S608 - columns of ours
        spent += exact(connection.execute(sql, values).fetchone(), "amount")
    return spent


def _where(cap: Cap) -> tuple[str, dict[str, str]]:
    """Of which calls, by what all calls of a group have in common."""
    terms: list[str] = []
    values: dict[str, str] = {}
    if cap.per == SESSION:
        terms.append("session IN (SELECT id FROM family)")
        values["session"] = cap.session
    for column, wanted in (("upstream", cap.upstream), ("session", cap.key)):
        if wanted:
            terms.append(f"{column} = :of_{column}")
            values[f"of_{column}"] = wanted
    if cap.tag:
        name, _, value = cap.tag.partition("=")
        terms.append("EXISTS (SELECT 1 FROM json_each(tags) AS tag WHERE tag.key = :tag AND tag.value = :value)")
        values.update(tag=name, value=value)
    return " AND ".join(terms) or "1", values
