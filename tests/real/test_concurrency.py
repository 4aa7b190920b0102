"""Many at once: one refresh token is never presented twice, and nothing of one touches another."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from moor.domain.result import COMPLETED
from tests.support import tui
from tests.support.workplace import Workplace, last_json, workplace

pytestmark = pytest.mark.real

LIFE_S = 4
MANY = 20


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents, token_ttl_s=LIFE_S) as made:
        yield made


@pytest.mark.feature("F2.7")
def test_twenty_processes_share_one_sign_in_that_ended(place: Workplace) -> None:
    time.sleep(LIFE_S + 0.5)
    ended = [run_many(place)]
    place.sim.control.revoke_all()
    ended.append(run_many(place))
    assert [listing for listings in ended for listing in listings if listing != ended[0][0]] == []
    assert_each_refresh_token_once(place)
    assert json.loads(place.store.credentials_path.read_bytes()), "the file is whole"
    place.must("models", "--refresh")


@pytest.mark.feature("F2.7")
def test_launches_at_once_in_one_repository_do_not_disturb_each_other(place: Workplace) -> None:
    with contextlib.ExitStack() as stack:
        window = stack.enter_context(place.window(AGENT))
        runs = [
            stack.enter_context(place.background("run", "--json", f"Please go on, sim:turns:{turns}:0.4"))
            for turns in (4, 5)
        ]
        tui.ready(window)
        tui.ask(window, "Please go on, sim:turns:6:0.4")
        listings = run_many(place, 6)
        results = [last_json(run.communicate(timeout=90)[0]) for run in runs]
        window.wait_for("All 6 turns are done", 60)
        assert tui.leave(window) == 0
    assert [result["error"] for result in results] == [None, None]
    assert [(result["status"], result["tool_calls"]) for result in results] == [(COMPLETED, 4), (COMPLETED, 5)]
    assert len({*listings}) == 1
    place.wait_gone()
    sessions = place.sessions()
    assert len(sessions) == 3
    assert all(session.ended_at for session in sessions)
    assert len({session.key_hash for session in sessions}) == 3
    assert list(place.store.sessions_dir.iterdir()) == []
    assert_each_refresh_token_once(place)
    place.assert_ledger_equals_sim()


def run_many(place: Workplace, count: int = MANY) -> list[str]:
    """So many `moor models --refresh` at once; what each printed. All end with 0."""
    with contextlib.ExitStack() as stack:
        commands: list[subprocess.Popen[str]] = [
            stack.enter_context(place.background("models", "--refresh", "--json")) for _ in range(count)
        ]
        told = [command.communicate(timeout=100) for command in commands]
        wrong = [(command.returncode, err) for command, (_, err) in zip(commands, told, strict=True)]
    assert [each for each in wrong if each[0] != 0] == []
    return [out for out, _ in told]


def assert_each_refresh_token_once(place: Workplace) -> None:
    """The simulator's own book: it revokes a sign-in whose refresh token comes twice."""
    counts = place.sim.control.tokens()
    assert counts["refreshes"] >= 1
    assert (counts["refresh_presented_twice"], counts["families_revoked"]) == (0, 0)
