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
    return _select(home, f"{where} ORDER BY id DESC LIMIT :limit", {"session": session, "limit": limit})


def one_call(home: Home, call_id: str) -> Call | None:
    """The call of that id, or the newest whose id ends so; None where there is none. BLOCKS on SQLite."""
    found = _select(home, "WHERE id = :id", {"id": call_id})
    if not found and len(call_id) >= 4:
        found = _select(home, "WHERE substr(id, -length(:id)) = :id ORDER BY id DESC LIMIT 1", {"id": call_id})
    return found[0] if found else None


def rule_counts(home: Home) -> dict[str, int]:
    """How many calls each rule changed. BLOCKS on SQLite."""
    if not home.db_path.exists():
        return {}
    sql = (
        "SELECT rule.value AS name, COUNT(*) AS times FROM calls, json_each(calls.rules) AS rule "
        "WHERE calls.rules <> '[]' GROUP BY rule.value"
    )
    with opened(home, write=False) as connection:
        return {row["name"]: row["times"] for row in connection.execute(sql)}


def _select(home: Home, tail: str, values: dict[str, object]) -> list[Call]:
    if not home.db_path.exists():
        return []
    with opened(home, write=False) as connection:
        return [_call(row) for row in connection.execute(f"SELECT * FROM calls {tail}", values)]  # noqa: S608 - ours


def _call(row: sqlite3.Row) -> Call:
    names = set(row.keys())
    values: dict[str, Any] = {name: row[name] for name in Call.__struct_fields__ if name in names}
    values["usage"] = Usage(**{name: row[name] for name in _USAGE if name in names})
    for name in ("rules", "tags", "tries"):
        values[name] = msgspec.json.decode(row[name])
    return msgspec.convert(values, Call, strict=False)
