"""Rows go to the database in batches, off the caller's thread; what fails is kept and told."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from moor.errors.store import StateBrokenError
from moor.store.batch import MAX_ROWS, BatchWriter
from moor.store.db import opened
from moor.store.home import Home


class Sink:
    """An insert function that notes its batches and fails when told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.failing = threading.Event()

    def __call__(self, connection: sqlite3.Connection, rows: Sequence[int]) -> None:
        if self.failing.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        self.batches.append(list(rows))

    @property
    def rows(self) -> list[int]:
        """All rows in the order they came."""
        return [row for batch in self.batches for row in batch]


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


def test_rows_arrive_in_order_and_in_batches(home: Home) -> None:
    sink = Sink()
    writer = BatchWriter(home, sink, "test")
    for number in range(500):
        writer.put(number)
    assert writer.flush()
    assert sink.rows == list(range(500))
    assert max(len(batch) for batch in sink.batches) <= MAX_ROWS
    assert writer.close()


def test_a_single_row_is_committed_without_being_asked(home: Home) -> None:
    sink = Sink()
    writer = BatchWriter(home, sink, "test")
    writer.put(1)
    assert eventually(lambda: sink.rows == [1])
    writer.close()


def test_rows_of_several_threads_all_arrive_once(home: Home) -> None:
    sink = Sink()
    writer = BatchWriter(home, sink, "test")

    def put(start: int) -> None:
        for number in range(start, start + 200):
            writer.put(number)

    threads = [threading.Thread(target=put, args=(start,)) for start in range(0, 1000, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.close()
    assert sorted(sink.rows) == list(range(1000))


def test_a_batch_that_fails_is_kept_told_and_stored_when_it_can_be(home: Home) -> None:
    sink = Sink()
    writer = BatchWriter(home, sink, "test")
    sink.failing.set()
    writer.put(1)
    assert eventually(lambda: not writer.healthy)
    assert "disk is full" in str(writer.problem)
    writer.put(2)
    assert not writer.flush(timeout_s=0.05)
    sink.failing.clear()
    assert eventually(lambda: writer.healthy)
    assert writer.flush()
    assert sink.rows == [1, 2]
    assert writer.close()


def test_closing_is_bounded_and_says_that_rows_were_given_up(home: Home) -> None:
    sink = Sink()
    writer = BatchWriter(home, sink, "test")
    sink.failing.set()
    writer.put(1)
    assert not writer.close(timeout_s=0.2)
    assert writer.waiting == 1
    assert not writer.close(timeout_s=0.2), "a second call gives the same answer"


def test_a_database_that_cannot_be_opened_is_told_before_the_first_row(home: Home) -> None:
    home.ensure()
    home.db_path.write_bytes(b"no database" * 100)
    writer = BatchWriter(home, Sink(), "test")
    assert eventually(lambda: not writer.healthy)
    assert isinstance(writer.problem, StateBrokenError)
    home.db_path.unlink()
    assert eventually(lambda: writer.healthy), "it recovers without a row to write"
    writer.close()


def test_after_close_no_thread_and_no_descriptor_stays(home: Home) -> None:
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    writer = BatchWriter(home, Sink(), "test")
    writer.put(1)
    writer.close()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_thread_closes_the_gate(home: Home) -> None:
    def broken(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
        raise ZeroDivisionError

    writer = BatchWriter(home, broken, "test")
    writer.put(1)
    assert eventually(lambda: not writer.healthy)
    assert not writer.close(timeout_s=0.2)


def test_a_commit_is_one_transaction_for_its_batch(home: Home) -> None:
    def insert(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
        connection.executemany("INSERT INTO trust VALUES (?, 'd', 1.0)", [(str(row),) for row in rows])
        if 2 in rows:
            raise sqlite3.OperationalError("disk I/O error")

    writer = BatchWriter(home, insert, "test")
    for number in range(3):
        writer.put(number)
    assert not writer.close(timeout_s=0.3)
    with opened(home) as connection:
        assert connection.execute("SELECT COUNT(*) FROM trust").fetchone()[0] == 0
