"""Frozen structs to table rows and back: one column a field, nested values as JSON text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

Cell: TypeAlias = str | int | float | None
"""what SQLite stores in one column"""

INT_MAX: Final = (1 << 53) - 1
"""Larger numbers come from a broken or hostile peer; they are cut to this, so that a row can be stored."""


def cell(value: object) -> Cell:
    """A value as SQLite stores it. Total: whatever a peer sent can be stored."""
    if value is None:
        return None
    if isinstance(value, float):
        return 0.0 if value != value else value  # SQLite would store NaN as NULL
    if isinstance(value, int):
        return max(-INT_MAX, min(int(value), INT_MAX))
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return _json(value)


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair, as a peer may send it
        import json

        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return text.encode("utf-8", "replace").decode()


def cells(values: Mapping[str, object]) -> dict[str, Cell]:
    """`cell` over named values."""
    return {name: cell(value) for name, value in values.items()}


def fields(struct: msgspec.Struct) -> dict[str, object]:
    """Field name to value, not descending into nested structs."""
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def from_row(kind: type[T], row: sqlite3.Row, nested: Iterable[str]) -> T:
    """The struct of one row; `nested` names the fields kept as JSON."""
    wanted = set(kind.__struct_fields__)
    values: dict[str, Any] = {name: row[name] for name in row.keys() if name in wanted}  # noqa: SIM118
    for name in nested:
        values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, kind, strict=False)


def insert_sql(table: str, names: Iterable[str], verb: str = "INSERT") -> str:
    """`INSERT INTO table (a, b) VALUES (:a, :b)`; names are ours, never a peer's."""
    columns = list(names)
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join(':' + c for c in columns)})"
