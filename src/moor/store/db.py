"""The one place that opens SQLite: `~/.moor/moor.db`, WAL, for many processes at once.

Call it on a thread, never on an event loop: a contended commit stalls for up to 57 ms (facts/performance).
A transaction that returned survives kill -9; WAL with synchronous NORMAL may lose the last ones at a power
cut, never the file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from moor.errors.store import StateNewerError, database_error, storage_error
from moor.store.files import locked
from moor.store.home import Home
from moor.store.schema import CURRENT, NOTHING, Migration, Version, may_read, may_write, missing

BUSY_S: Final = 5.0
_CREATING: Final = threading.Lock()
"""no connection of this process may open the file while its creator still has to close it"""


def connect(home: Home, *, write: bool = True) -> sqlite3.Connection:
    """An open database of the current form, in autocommit mode, usable from any one thread at a time.

    Creates and migrates where needed. `write=False` also opens a database one minor version ahead.
    Raises StateNewerError, StateBrokenError, StateBusyError, DiskFullError, HomeUnwritableError, HomeForeignError.
    """
    path = home.db_path
    with translated(path):
        fresh = not path.exists()
        if fresh or write:
            home.ensure()
        with ExitStack() as undo:
            connection = _open(path, undo)
            found = NOTHING if fresh else _version(connection)
            if found < CURRENT:
                found = _migrate(home, connection)
            _check(path, found, write)
            undo.pop_all()
    return connection


@contextmanager
def opened(home: Home, *, write: bool = True) -> Iterator[sqlite3.Connection]:
    """A connection for one step, closed afterwards; its errors are ours."""
    with translated(home.db_path):
        connection = connect(home, write=write)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: all of it, or nothing when the body raises."""
    with connection:  # commits, or rolls back when the body raises
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors become ours, with the database's name."""
    try:
        yield
    except sqlite3.Error as error:
        raise database_error(error, path) from error
    except OSError as error:
        raise storage_error(error, path) or error from error


def _open(path: Path, undo: ExitStack) -> sqlite3.Connection:
    with _CREATING:
        _create(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    undo.callback(connection.close)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.row_factory = sqlite3.Row
    return connection


def _create(path: Path) -> None:
    """An empty file where there is none, 0600 from its first moment; SQLite gives -wal and -shm the same mode.

    A file that is there must not be opened here: POSIX drops every lock that this process holds on it when any
    descriptor of it is closed, and another process then removes the log that our connections write to.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _version(connection: sqlite3.Connection) -> Version:
    try:
        rows = connection.execute("SELECT name, value FROM meta WHERE name IN ('major', 'minor')").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return NOTHING
        raise
    values = {row["name"]: int(row["value"]) for row in rows}
    return Version(values.get("major", 0), values.get("minor", 0))


def _migrate(home: Home, connection: sqlite3.Connection) -> Version:
    # one process at a time: the switch to WAL is not covered by SQLite's busy timeout
    with locked(home.root / "moor.db.lock", timeout_s=2 * BUSY_S):
        connection.execute("PRAGMA journal_mode=WAL")
        with transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            found = _version(connection)
            for migration in missing(found):
                _apply(connection, migration)
                found = migration.version
    return found


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    for statement in migration.statements:
        connection.execute(statement)
    rows = [("major", str(migration.version.major)), ("minor", str(migration.version.minor))]
    connection.executemany("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", rows)


def _check(path: Path, found: Version, write: bool) -> None:
    allowed = may_write(found) if write else may_read(found)
    if not allowed:
        raise StateNewerError(path=path, found=str(found), known=str(CURRENT))
