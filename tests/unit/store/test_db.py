"""The database opens for many processes at once, survives kills, and knows its own age."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from moor.errors.store import (
    DiskFullError,
    HomeUnwritableError,
    StateBrokenError,
    StateBusyError,
    StateNewerError,
    database_error,
)
from moor.store.db import connect, opened, transaction
from moor.store.home import Home
from moor.store.schema import CURRENT, MIGRATIONS, Version, may_read, may_write, missing


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


def set_version(home: Home, major: int, minor: int) -> None:
    with opened(home) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'major'", (major,))
        connection.execute("UPDATE meta SET value = ? WHERE name = 'minor'", (minor,))


def test_the_first_opening_makes_a_private_database_in_wal_mode(home: Home) -> None:
    with opened(home) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 1
        connection.execute("INSERT INTO trust VALUES ('a', 'b', 1.0)")
        modes = {stat.S_IMODE(path.stat().st_mode) for path in home.root.iterdir()}
    assert modes == {0o600}


def test_the_second_opening_finds_what_the_first_stored(home: Home) -> None:
    with opened(home) as connection:
        connection.execute("INSERT INTO trust VALUES ('a', 'b', 1.0)")
    with opened(home, write=False) as connection:
        assert connection.execute("SELECT COUNT(*) FROM trust").fetchone()[0] == 1


def test_a_transaction_that_fails_leaves_nothing(home: Home) -> None:
    with opened(home) as connection:
        with pytest.raises(sqlite3.IntegrityError), transaction(connection):
            connection.executemany("INSERT INTO trust VALUES (?, 'b', 1.0)", [("a",), ("a",)])
        assert connection.execute("SELECT COUNT(*) FROM trust").fetchone()[0] == 0


def test_a_file_that_is_no_database_is_left_alone_and_named(home: Home) -> None:
    home.ensure()
    home.db_path.write_bytes(b"this is not a database, it is a letter to a friend" * 100)
    before = home.db_path.read_bytes()
    with pytest.raises(StateBrokenError) as caught:
        connect(home)
    assert caught.value.hint.endswith(f"mv {home.db_path} {home.db_path}.broken")
    assert home.db_path.read_bytes() == before


def test_an_empty_file_becomes_a_database(home: Home) -> None:
    home.ensure()
    home.db_path.touch()
    with opened(home) as connection:
        assert connection.execute("SELECT COUNT(*) FROM calls").fetchone()[0] == 0


def test_a_database_one_minor_version_ahead_is_read_but_not_written(home: Home) -> None:
    set_version(home, CURRENT.major, CURRENT.minor + 1)
    with opened(home, write=False) as connection:
        assert connection.execute("SELECT COUNT(*) FROM calls").fetchone()[0] == 0
    with pytest.raises(StateNewerError) as caught:
        connect(home)
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize("ahead", [(CURRENT.major, CURRENT.minor + 2), (CURRENT.major + 1, 0)])
def test_a_database_further_ahead_is_neither_read_nor_written(home: Home, ahead: tuple[int, int]) -> None:
    set_version(home, *ahead)
    for write in (False, True):
        with pytest.raises(StateNewerError):
            connect(home, write=write)


def test_versions_compare_by_major_then_minor() -> None:
    known = Version(2, 3)
    assert [may_read(Version(*v), known) for v in ((1, 9), (2, 4), (2, 5), (3, 0))] == [True, True, False, False]
    assert [may_write(Version(*v), known) for v in ((1, 9), (2, 3), (2, 4))] == [True, True, False]


def test_migrations_rise_and_end_at_the_current_version() -> None:
    versions = [migration.version for migration in MIGRATIONS]
    assert versions == sorted(set(versions))
    assert missing(Version(0, 0)) == MIGRATIONS
    assert missing(CURRENT) == ()


def test_a_database_that_stays_locked_is_an_error_with_a_name(home: Home) -> None:
    connect(home).close()
    with opened(home) as holder, transaction(holder), pytest.raises(StateBusyError):
        begin_without_patience(home)


def begin_without_patience(home: Home) -> None:
    with opened(home) as connection:
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("database or disk is full", DiskFullError),
        ("attempt to write a readonly database", HomeUnwritableError),
        ("unable to open database file", HomeUnwritableError),
        ("database disk image is malformed", StateBrokenError),
    ],
)
def test_what_sqlite_says_becomes_a_sentence_of_ours(words: str, kind: type[Exception]) -> None:
    assert isinstance(database_error(sqlite3.OperationalError(words), "/m/moor.db"), kind)


CREATE_AND_INSERT = """
import sys
from pathlib import Path
from moor.store.db import opened, transaction
from moor.store.home import Home
who = sys.argv[2]
for number in range(20):
    with opened(Home(Path(sys.argv[1]))) as connection, transaction(connection):
        connection.execute("INSERT INTO trust VALUES (?, 'd', 1.0)", (f"{who}-{number}",))
"""


@pytest.mark.feature("F2.7")
def test_twenty_processes_create_and_fill_one_database_at_once(home: Home) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", CREATE_AND_INSERT, str(home.root), str(who)], stderr=subprocess.PIPE)
        for who in range(20)
    ]
    problems = [writer.communicate(timeout=60)[1].decode() for writer in writers]
    assert "".join(problems) == ""
    with opened(home) as connection:
        assert connection.execute("SELECT COUNT(*) FROM trust").fetchone()[0] == 20 * 20


INSERT_FOR_EVER = """
import itertools, sys
from pathlib import Path
from moor.store.db import opened, transaction
from moor.store.home import Home
with opened(Home(Path(sys.argv[1]))) as connection:
    for number in itertools.count(int(sys.argv[2])):
        with transaction(connection):
            connection.execute("INSERT INTO trust VALUES (?, 'd', 1.0)", (str(number),))
        print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_committed_and_breaks_nothing(home: Home) -> None:
    committed: set[str] = set()
    for turn in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", INSERT_FOR_EVER, str(home.root), str(turn * 1_000_000)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as writer:
            assert writer.stdout is not None
            committed |= {writer.stdout.readline().strip() for _ in range(50 + turn)}
            writer.kill()
            committed |= {line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line[-1] == "\n"}
    with opened(home) as connection:
        stored = {row[0] for row in connection.execute("SELECT repo_root FROM trust")}
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert committed <= stored
    assert len(stored - committed) <= 4, "at most the one in flight at each kill"


def test_a_second_opening_leaves_the_locks_of_the_first_in_force(home: Home) -> None:
    """POSIX drops all locks of a process on a file when it closes any descriptor of that file. Another process would
    then take itself for the last one and remove the log that we still write to."""
    elsewhere = "import sys, pathlib; from moor.store.db import opened; from moor.store.home import Home\n"
    elsewhere += (
        "with opened(Home(pathlib.Path(sys.argv[1]))) as c: c.execute('SELECT COUNT(*) FROM trust').fetchone()"
    )
    with opened(home) as first:
        first.execute("INSERT INTO trust VALUES ('a', 'b', 1.0)")
        with opened(home):
            pass
        subprocess.run([sys.executable, "-c", elsewhere, str(home.root)], check=True)
        first.execute("INSERT INTO trust VALUES ('c', 'd', 1.0)")
        assert (home.root / "moor.db-wal").exists(), "another process removed the log that we write to"
        with opened(home) as third:
            assert third.execute("SELECT COUNT(*) FROM trust").fetchone()[0] == 2
