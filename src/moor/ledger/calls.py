"""Single calls out of the ledger."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import msgspec

from moor.domain.call import CANCELLED, OK, Call
from moor.domain.usage import Usage
from moor.store.db import opened
from moor.store.home import Home

_USAGE: Final = ("input", "output", "cache_read", "cache_write", "reasoning", "cache_write_1h")


def calls(home: Home, *, session: str = "", failed: bool = False, limit: int = 20) -> list[Call]:
    """The newest first; [] when there is no ledger. BLOCKS on SQLite."""
    terms: list[str] = []
    if session:
        terms.append("session = :session")
    if failed:
        terms.append(f"outcome NOT IN ('{OK}', '{CANCELLED}')")
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    # the newest calls stand in the groups with the newest ones: each of these groups has one of them at least
    tail = f"{where} ORDER BY id DESC LIMIT :limit"
    return _select(home, tail, "ORDER BY id DESC LIMIT :limit", {"session": session, "limit": limit})


def one_call(home: Home, call_id: str) -> Call | None:
    """The call of that id, or the newest whose id ends so; None where there is none. BLOCKS on SQLite."""
    values: dict[str, object] = {"id": call_id}
    found = _select(home, "WHERE id >= :id AND first_id <= :id", "AND id = :id", values)
    if not found and len(call_id) >= 4:
        ending = "AND substr(id, -length(:id)) = :id ORDER BY id DESC LIMIT 1"
        found = _select(home, "WHERE instr(own, :id || '\"') > 0", ending, values)
    return found[0] if found else None


def rule_counts(home: Home) -> dict[str, int]:
    """How many calls each rule changed. BLOCKS on SQLite."""
    if not home.db_path.exists():
        return {}
    sql = (
        "SELECT rule.value AS name, SUM(call_groups.calls) AS times FROM call_groups, json_each(call_groups.rules) "
        "AS rule WHERE call_groups.rules <> '[]' GROUP BY rule.value"
    )
    with opened(home, write=False) as connection:
        return {row["name"]: row["times"] for row in connection.execute(sql)}


def _select(home: Home, groups: str, tail: str, values: dict[str, object]) -> list[Call]:
    """Calls of these groups that the tail lets pass."""
    if not home.db_path.exists():
        return []
    sql = f"SELECT * FROM calls WHERE group_id IN (SELECT id FROM call_groups {groups}) {tail}"  # noqa: S608 - ours
    with opened(home, write=False) as connection:
        return [_call(row) for row in connection.execute(sql, values)]


def _call(row: sqlite3.Row) -> Call:
    names = set(row.keys())
    values: dict[str, Any] = {name: row[name] for name in Call.__struct_fields__ if name in names}
    values["usage"] = Usage(**{name: row[name] for name in _USAGE if name in names})
    for name in ("rules", "tags", "tries"):
        values[name] = msgspec.json.decode(row[name])
    return msgspec.convert(values, Call, strict=False)
