"""`moor ps` tells the truth about processes, whatever the rows say."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from moor.cli.sessions import age_text
from moor.domain.call import Call
from moor.domain.session import ENDED, WORKING, Session
from moor.domain.usage import Usage
from moor.ledger.writer import LedgerWriter
from moor.run.proc import start_time
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]


class Process:
    """A process that stands for an agent or a gateway."""

    def __init__(self) -> None:
        self._child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.pid = self._child.pid
        self.start = start_time(self.pid) or 0.0

    def end(self) -> None:
        """Kill it and reap it."""
        self._child.kill()
        self._child.communicate()


@pytest.fixture
def process() -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def start() -> Process:
        started.append(Process())
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def store(moor_home: MoorHome) -> Iterator[SessionStore]:
    store = SessionStore(Home(moor_home.root))
    yield store
    store.close()


def session(number: int, agent: Process, gateway: Process, **more: object) -> Session:
    values: dict[str, object] = {
        "id": f"ses_{number}",
        "agent": "one",
        "cwd": "/w",
        "upstream": "u",
        "model": "m",
        "status": WORKING,
        "pid": agent.pid,
        "pid_start": agent.start,
        "gateway_pid": gateway.pid,
        "gateway_start": gateway.start,
        "created_at": time.time() - 100 + number,
    }
    return Session(**{**values, **more})  # type: ignore[arg-type]


def states(done: Done) -> dict[str, str]:
    return {row["id"]: row["state"] for row in done.last_json}


def test_nothing_runs_in_a_new_home(run_moor: Run, moor_home: MoorHome) -> None:
    assert "nothing runs" in run_moor("ps").stderr
    assert run_moor("ps", "--json").last_json == []
    assert not moor_home.root.exists()


def test_a_running_session_is_shown_with_what_it_used(
    run_moor: Run, moor_home: MoorHome, store: SessionStore, process: Callable[[], Process]
) -> None:
    store.add(session(1, process(), process(), cwd=f"{moor_home.user}/project"))
    writer = LedgerWriter(Home(moor_home.root))
    writer.put(Call(id="c", session="ses_1", usage=Usage(input=1000, output=234), cost_nano=5_000_000))
    writer.close()
    _, line = run_moor("ps").stdout.splitlines()
    assert line.split() == ["ses_1", "one", "working", "1m", "1", "1,234", "0.005", "m", "~/project"]
    (row,) = run_moor("ps", "--json").last_json
    assert (row["calls"], row["tokens"]["output"], row["cost_usd"], row["state"]) == (1, 234, 0.005, "working")


@pytest.mark.feature("F13.8")
def test_a_cap_that_is_nearly_used_up_is_told_beside_its_session(
    run_moor: Run, store: SessionStore, process: Callable[[], Process]
) -> None:
    store.add(session(1, process(), process(), warning="95 % of the session cap of $1.00 is used"))
    done = run_moor("ps")
    assert "95 % of the session cap" in done.stderr
    assert run_moor("ps", "--json").last_json[0]["warning"].startswith("95 %")


@pytest.mark.feature("F12.11")
def test_a_session_whose_processes_are_gone_is_shown_once_as_lost_and_closed(
    run_moor: Run, store: SessionStore, process: Callable[[], Process]
) -> None:
    agent, gateway = process(), process()
    store.add(session(1, agent, gateway))
    store.add(session(2, process(), process()))
    agent.end()
    gateway.end()
    assert states(run_moor("ps", "--json")) == {"ses_1": "lost", "ses_2": "working"}
    assert states(run_moor("ps", "--json")) == {"ses_2": "working"}
    assert states(run_moor("ps", "--all", "--json")) == {"ses_1": "lost", "ses_2": "working"}


def test_an_agent_without_its_gateway_is_told(
    run_moor: Run, store: SessionStore, process: Callable[[], Process]
) -> None:
    gateway = process()
    store.add(session(1, process(), gateway))
    gateway.end()
    assert states(run_moor("ps", "--json")) == {"ses_1": "gateway lost"}


def test_a_reused_pid_is_not_taken_for_the_process_we_knew(
    run_moor: Run, store: SessionStore, process: Callable[[], Process]
) -> None:
    other = process()
    store.add(session(1, other, other, pid_start=other.start - 1, gateway_start=other.start - 1))
    assert states(run_moor("ps", "--json")) == {"ses_1": "lost"}


def test_ended_sessions_are_shown_on_wish_only(
    run_moor: Run, store: SessionStore, process: Callable[[], Process]
) -> None:
    store.add(session(1, process(), process(), status=ENDED, ended_at=time.time(), outcome="completed"))
    assert states(run_moor("ps", "--json")) == {}
    (row,) = run_moor("ps", "--all", "--json").last_json
    assert (row["state"], row["outcome"]) == ("ended", "completed")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "1m"), (3660, "1h 1m"), (90000, "1d 1h")]
)
def test_an_age_is_short(seconds: float, text: str) -> None:
    assert age_text(seconds) == text
