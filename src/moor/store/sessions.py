"""Sessions in the database: one row each; a second moor sees what runs by reading them."""

from __future__ import annotations

import sqlite3
import threading
from typing import Final

from moor.domain.session import Session
from moor.errors.base import BugError
from moor.store.db import connect, translated
from moor.store.home import Home
from moor.store.rows import cells, fields, from_row, insert_sql

_NESTED: Final = ("policy", "caps", "fallback", "watch", "traits", "tags")
_COLUMNS: Final = frozenset(Session.__struct_fields__)


class SessionStore:
    """Opens the database at first use; one connection, usable from several threads. BLOCKS: not for a loop."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, session: Session) -> None:
        """Store a new session; it is committed when this returns."""
        row = cells(fields(session))
        self._run(insert_sql("sessions", row), row)

    def update(self, session_id: str, **changes: object) -> bool:
        """Set fields of a session in one transaction; False when there is none of that id."""
        unknown = changes.keys() - _COLUMNS
        if unknown or not changes:
            raise BugError(f"a session has no field {sorted(unknown)}" if unknown else "nothing to update")
        setting = ", ".join(f"{name} = :{name}" for name in changes)
        row = cells({**changes, "session_id_": session_id})
        return self._run(f"UPDATE sessions SET {setting} WHERE id = :session_id_", row)[1] > 0  # noqa: S608 - field names

    def get(self, session_id: str) -> Session | None:
        """The session of that id."""
        found = self._select("WHERE id = :id", {"id": session_id})
        return found[0] if found else None

    def all(self, active: bool = False, limit: int = 1000) -> list[Session]:
        """Newest first; `active`: only those that have not ended."""
        where = "WHERE ended_at IS NULL " if active else ""
        return self._select(f"{where}ORDER BY created_at DESC, id DESC LIMIT :limit", {"limit": limit})

    def by_key_hash(self, key_hash: str) -> Session | None:
        """The session that has not ended whose gateway key has this SHA-256."""
        if not key_hash:
            return None
        found = self._select("WHERE key_hash = :hash AND key_hash <> '' AND ended_at IS NULL", {"hash": key_hash})
        return found[0] if found else None

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _select(self, tail: str, values: dict[str, object]) -> list[Session]:
        rows, _ = self._run(f"SELECT * FROM sessions {tail}", values)  # noqa: S608 - ours
        return [from_row(Session, row, _NESTED) for row in rows]

    def _run(self, sql: str, values: object) -> tuple[list[sqlite3.Row], int]:
        with self._lock, translated(self._home.db_path):
            if self._connection is None:
                self._connection = connect(self._home)
            cursor = self._connection.execute(sql, values)  # type: ignore[arg-type]
            return cursor.fetchall(), cursor.rowcount
