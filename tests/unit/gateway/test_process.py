"""The gateway of one session as a process of its own: started with a socket and a pid to watch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from moor.domain.session import ENDED, Session
from moor.domain.settings import UpstreamSettings
from moor.run import proc
from moor.secrets import key_hash
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.spent import spent_nano
from tests.unit.gateway.engine import ANSWER, running_engine

KEY = "moor-process-test-key-0123456789abcdef"


def keep(home: Home, session: Session) -> None:
    """Store a session."""
    with closing(SessionStore(home)) as store:
        store.add(session)


def kept(home: Home, session_id: str) -> Session | None:
    """The session as it stands in the store."""
    with closing(SessionStore(home)) as store:
        return store.get(session_id)


@pytest.fixture
def engine() -> Iterator[str]:
    """The engine's address."""
    with running_engine() as url:
        yield url


class Running:
    """A gateway process and the process it watches."""

    def __init__(self, home: Home, base_url: str, session_id: str = "ses_process") -> None:
        self.home = home
        self.session_id = session_id
        self.watched = subprocess.Popen(["sleep", "60"])
        self.tool = subprocess.Popen(["sleep", "60"], env={**os.environ, "MOOR_SESSION": session_id})
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        start = proc.start_time(self.watched.pid)
        session = Session(id=session_id, agent="tester", cwd="/", upstream="local", model="m", key_hash=key_hash(KEY))
        keep(home, session)
        spec = {"name": "local", "upstream": UpstreamSettings(kind="openai", base_url=base_url, models=("m",))}
        (home.session_dir(session_id) / "gateway.json").write_bytes(msgspec.json.encode(spec))
        argv = [sys.executable, "-m", "moor.gateway", "--home", str(home.root), "--session", session_id]
        argv += ["--listen-fd", str(listening.fileno()), "--watch-pid", f"{self.watched.pid}:{start}"]
        self.process = subprocess.Popen(argv, pass_fds=[listening.fileno()])
        listening.close()

    def ask(self) -> dict[str, object]:
        """One chat call."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/openai/v1/chat/completions",
            data=b'{"model":"m","messages":[]}',
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))

    def close(self) -> None:
        """End what is left."""
        for child in (self.process, self.watched, self.tool):
            if child.poll() is None:
                child.kill()
            child.wait()


@pytest.fixture
def running(tmp_path: Path, engine: str) -> Iterator[Running]:
    """A gateway that serves."""
    home = Home(tmp_path / "home")
    made = Running(home, engine)
    yield made
    made.close()


def test_the_backlog_holds_a_call_until_the_process_serves(running: Running) -> None:
    assert running.ask() == ANSWER


def test_when_the_watched_process_ends_everything_of_the_session_is_gone(running: Running) -> None:
    running.ask()
    folder = running.home.session_dir(running.session_id)
    running.watched.kill()
    running.watched.wait()
    assert running.process.wait(10) == 0
    assert running.tool.wait(5) == -signal.SIGTERM
    session = kept(running.home, running.session_id)
    assert session is not None
    assert session.status == ENDED
    assert session.gateway_pid == running.process.pid
    assert not folder.exists()
    assert spent_nano(running.home, running.session_id) == 0


def test_a_signal_ends_it_cleanly_too(running: Running) -> None:
    running.ask()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    session = kept(running.home, running.session_id)
    assert session is not None
    assert session.status == ENDED


def test_a_session_without_a_spec_is_marked_as_ended_with_the_reason(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    keep(home, Session(id="ses_none", agent="tester", cwd="/", upstream="local", model="m"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        argv = [sys.executable, "-m", "moor.gateway", "--home", str(home.root), "--session", "ses_none"]
        argv += ["--listen-fd", str(listening.fileno())]
        assert subprocess.run(argv, pass_fds=[listening.fileno()], timeout=20, check=False).returncode == 1
    session = kept(home, "ses_none")
    assert session is not None
    assert session.status == ENDED
    assert "could not start" in session.outcome


def test_no_credential_and_no_key_stand_in_its_log(running: Running) -> None:
    running.ask()
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(10)
    time.sleep(0.05)
    text = (running.home.log_dir / "moor.log").read_text(encoding="utf-8")
    assert "ended" in text
    assert KEY not in text
