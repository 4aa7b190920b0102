"""Sums of integers that cannot overflow: SQLite adds in 64 bits and fails beyond, so halves are summed."""

from __future__ import annotations

import sqlite3
from typing import Final

_BITS: Final = 26
_MASK: Final = (1 << _BITS) - 1


def exact_sum(column: str, name: str = "") -> str:
    """Two SQL expressions that sum the column's upper and lower bits; `exact` puts them together, by that name."""
    name = name or column
    return (
        f"COALESCE(SUM(({column}) >> {_BITS}), 0) AS {name}_high, "
        f"COALESCE(SUM(({column}) & {_MASK}), 0) AS {name}_low"
    )


def exact(row: sqlite3.Row, column: str) -> int:
    """The whole sum of a column selected with `exact_sum`."""
    return (int(row[f"{column}_high"]) << _BITS) + int(row[f"{column}_low"])
