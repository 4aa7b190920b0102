"""Sessions that ended without saying so are closed by the next command; those that live are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.domain.session import ENDED, STANDALONE, Session
from moor.launch.lost import YOUNG_S, end_lost_sessions
from moor.run import proc
from moor.store.home import Home
from moor.store.sessions import SessionStore

GONE = 2**22 - 1


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "moor")
    made.ensure()
    return made


@pytest.fixture
def left_behind() -> Iterator[subprocess.Popen[bytes]]:
    """A tool command that outlived its session `ses_lost`."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, "MOOR_SESSION": "ses_lost"},
        start_new_session=True,
    )
    yield child
    child.kill()
    child.wait()


def session(clock: ManualClock, **more: object) -> Session:
    known = {"pid": GONE, "pid_start": 1.0, "gateway_pid": GONE, "gateway_start": 1.0, "created_at": clock.now()}
    return Session(id="ses_lost", agent="a", cwd="/", upstream="u", model="m", **{**known, **more})


def stored(home: Home, row: Session) -> None:
    store = SessionStore(home)
    store.add(row)
    store.close()


def read(home: Home) -> Session:
    store = SessionStore(home)
    found = store.get("ses_lost")
    store.close()
    assert found is not None
    return found


def test_a_lost_session_is_swept_marked_and_its_folder_removed(
    home: Home, left_behind: subprocess.Popen[bytes]
) -> None:
    clock = ManualClock()
    stored(home, session(clock))
    folder = home.session_dir("ses_lost")
    (folder / "gateway.json").write_text("{}", encoding="utf-8")
    assert end_lost_sessions(home, clock) == ["ses_lost"]
    assert left_behind.wait(timeout=5) != 0
    assert not folder.exists()
    row = read(home)
    assert (row.status, row.outcome, row.ended_at) == (ENDED, "lost", clock.now())


def test_a_session_whose_agent_still_runs_is_left_alone(home: Home) -> None:
    clock = ManualClock()
    stored(home, session(clock, pid=os.getpid(), pid_start=proc.start_time(os.getpid())))
    assert end_lost_sessions(home, clock) == []
    assert read(home).ended_at is None


def test_a_session_that_is_still_starting_its_gateway_is_left_alone(home: Home) -> None:
    clock = ManualClock()
    stored(home, session(clock, gateway_pid=0, gateway_start=0.0))
    assert end_lost_sessions(home, clock) == []
    clock.advance(YOUNG_S + 1)
    assert end_lost_sessions(home, clock) == ["ses_lost"]


def test_a_stand_alone_key_is_no_lost_session(home: Home) -> None:
    clock = ManualClock()
    stored(home, session(clock, seen=STANDALONE))
    assert end_lost_sessions(home, clock) == []


def test_without_a_database_nothing_is_made(home: Home) -> None:
    assert end_lost_sessions(home, ManualClock()) == []
    assert not home.db_path.exists()
