"""Rows into the database off the loop: one thread, a commit every 50 ms or 256 rows (design, decision 5).

A transaction a row costs 18 us of CPU, a row in a batch of 64 costs 2.8 us (facts/performance), one of 256 a third
less: more rows share a page that is written. Rows handed over before kill -9 but not yet committed are lost: at most
what came in the last 50 ms.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from moor.errors.base import BugError, MoorError
from moor.store.db import connect, transaction, translated
from moor.store.home import Home

T = TypeVar("T")

INTERVAL_S: Final = 0.05
MAX_ROWS: Final = 256
RETRY_S: Final = 0.5


class BatchWriter(Generic[T]):
    """Hands rows to `insert(connection, rows)` inside one transaction a batch, in the order of `put`.

    A batch that fails is kept and tried again every half second; until it is stored `healthy` is False. A
    repeated batch must be harmless: `insert` ignores rows that are there already.
    """

    def __init__(self, home: Home, insert: Callable[[sqlite3.Connection, Sequence[T]], None], name: str) -> None:
        self._home = home
        self._insert = insert
        self._rows: list[T] = []
        self._wake = threading.Event()
        self._idle = False
        """the thread waits for a first row"""
        self._hurry = False
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._state = threading.Condition(self._lock)
        self._taken = 0
        """rows that the thread has taken over"""
        self._stored = 0
        self._stopping = threading.Event()
        self._closed = False
        self._problem: MoorError | None = None
        self._worker = threading.Thread(target=self._work, name=name, daemon=True)
        self._worker.start()

    @property
    def healthy(self) -> bool:
        """False while rows cannot be written."""
        return self._problem is None

    @property
    def problem(self) -> MoorError | None:
        """Why rows cannot be written now; None while they can."""
        return self._problem

    @property
    def waiting(self) -> int:
        """Rows accepted and not yet committed."""
        with self._lock:
            return self._taken + len(self._rows) - self._stored

    def put(self, row: T) -> None:
        """Accept a row; never blocks, from any thread."""
        rows = self._rows
        rows.append(row)  # one step for all threads; the thread takes rows from the front of this very list
        if self._idle or len(rows) == MAX_ROWS:
            # not at every row: each waking takes the interpreter's lock away from the loop. Of two that come at once
            # both may miss the full batch, which then waits for the end of its interval
            self._idle = False
            self._wake.set()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until all rows accepted so far are committed; False when they were not in time. BLOCKS."""
        with self._lock:
            goal = self._taken + len(self._rows)
        self._hurry = True
        self._wake.set()
        with self._state:
            return self._state.wait_for(lambda: self._stored >= goal, timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Commit what waits and end the thread; False when rows had to be given up. Bounded, idempotent."""
        if not self._closed:
            self._closed = True
            self.flush(timeout_s)
            self._stopping.set()
            self._wake.set()
            self._worker.join(timeout_s)
        return self.waiting == 0

    def _work(self) -> None:
        try:
            self._run()
        finally:
            self._forget_connection()
            if not self._stopping.is_set():
                # a bug of ours; the rows behind it can never be stored, so that the gate must close
                self._problem = BugError(f"the thread {self._worker.name} ended")

    def _run(self) -> None:
        pending: list[T] = []
        self._attempt(pending)  # opens the database, so that `healthy` is true to the facts from the start
        while not (self._stopping.is_set() and not self._rows):
            self._collect(pending)
            if (pending or not self.healthy) and not self._attempt(pending):
                self._stopping.wait(RETRY_S)
                if self._stopping.is_set():
                    break

    def _collect(self, pending: list[T]) -> None:
        """Wait for a first row (or a turn to retry), then for more of its batch."""
        if not pending:
            self._idle = True  # before it looks: a row that comes after the look finds it so
            if not self._rows:
                self._wake.wait(None if self.healthy else RETRY_S)
            self._idle = False
        if self._rows and len(self._rows) < MAX_ROWS and not self._hurry:
            self._wake.clear()
            if len(self._rows) < MAX_ROWS and not self._hurry:
                self._wake.wait(INTERVAL_S)
        self._wake.clear()
        with self._state:
            room = MAX_ROWS - len(pending)
            taken = self._rows[:room]
            del self._rows[: len(taken)]
            self._taken += len(taken)
            pending += taken
            if not self._rows:
                self._hurry = self._stopping.is_set()

    def _attempt(self, pending: list[T]) -> bool:
        try:
            with translated(self._home.db_path):
                self._write(pending)
        except (MoorError, OSError) as error:
            self._problem = error if isinstance(error, MoorError) else MoorError(str(error))
            self._forget_connection()
            return False
        self._problem = None
        with self._state:
            self._stored += len(pending)
            self._state.notify_all()
        pending.clear()
        return True

    def _write(self, pending: list[T]) -> None:
        if self._connection is None:
            self._connection = connect(self._home)
        with transaction(self._connection):
            if pending:
                self._insert(self._connection, pending)

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
