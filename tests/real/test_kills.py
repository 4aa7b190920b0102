"""kill -9 and friends, at every place: nothing stays behind, nothing that was used is lost, and moor says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from moor.domain.result import CANCELLED, FAILED
from tests.support import tui
from tests.support.workplace import Workplace, last_json, wait_until, workplace

pytestmark = pytest.mark.real

GATEWAY = "moor.gateway"
SCRIPTS = {
    "leftover": """
about = "Starts commands that mean to outlive it, then one that takes long."

[[step]]
run = "setsid nohup sleep 4330 >/dev/null 2>&1 & (sleep 4331 >/dev/null 2>&1 &) ; echo started"

[[step]]
run = "sleep 4332"
""",
}


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents, SCRIPTS) as made:
        yield made


def test_a_launcher_killed_before_its_exec_leaves_no_gateway(place: Workplace) -> None:
    reader, writer = full_pipe()
    with place.background("-v", AGENT, stderr=writer) as launcher:
        os.close(writer)
        wait_until(
            lambda: place.sessions() and place.session().gateway_pid,
            lambda: f"the gateway did not start: {place.gateway_log()}; the launcher says: {drained(reader)}",
            20,
        )
        assert "moor" in place.processes()[launcher.pid], "the launcher had become the agent already"
        launcher.kill()
        launcher.wait()
    place.assert_clean_end()
    os.close(reader)
    assert place.must("ps").stdout == ""


def test_an_agent_killed_in_a_command_takes_its_commands_along(place: Workplace) -> None:
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Please start them, sim:leftover")
        place.wait_for_process("sleep 4332")
        assert {"sleep 4330", "sleep 4331"} <= set(place.processes().values())
        os.kill(window.pid, signal.SIGKILL)
        assert window.wait() == -signal.SIGKILL
        place.assert_clean_end()
    place.assert_ledger_equals_sim()


def test_a_gateway_killed_in_a_turn_is_told_by_agent_and_ps_and_swept_by_the_next_command(place: Workplace) -> None:
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Please go on, sim:turns:60:0.5")
        window.wait_for("turn 3 of 60", 40)
        os.kill(place.pid_of(GATEWAY), signal.SIGKILL)
        window.wait_for(lambda screen: "connect" in screen.lower(), 20)
        assert "gateway lost" in place.must("ps").stdout
        window.keys(tui.CTRL_C)
        window.wait(15)
    session = place.session()
    assert session.ended_at is None, "there was nobody to mark it"
    assert "lost" in place.must("ps").stdout
    assert place.assert_clean_end().outcome == "lost"
    assert_finished_calls_kept(place)


def test_a_gateway_killed_under_a_run_ends_the_run_with_a_sentence(place: Workplace) -> None:
    with place.background("run", "--json", "Please go on, sim:turns:60:0.5") as run:
        wait_calls(place, 3)
        os.kill(place.pid_of(GATEWAY), signal.SIGKILL)
        out, err = run.communicate(timeout=30)
    result = last_json(out)
    assert (run.returncode, result["status"]) == (1, FAILED)
    assert "gateway" in result["error"]["message"]
    assert result["error"]["hint"] in err
    assert place.assert_clean_end().outcome == FAILED
    assert_finished_calls_kept(place)


def test_a_killed_run_leaves_neither_agent_nor_gateway(place: Workplace) -> None:
    with place.background("run", "Please start them, sim:leftover") as run:
        place.wait_for_process("sleep 4332")
        run.kill()
        run.wait()
    place.assert_clean_end()
    place.assert_ledger_equals_sim()


@pytest.mark.feature("F12.8")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signalled_run_is_cancelled_in_order(place: Workplace, number: signal.Signals) -> None:
    with place.background("run", "--json", "Please start them, sim:leftover") as run:
        place.wait_for_process("sleep 4332")
        run.send_signal(number)
        out, _ = run.communicate(timeout=15)
    assert (run.returncode, last_json(out)["status"]) == (130, CANCELLED)
    place.assert_clean_end()
    assert place.session().outcome == CANCELLED
    place.assert_ledger_equals_sim()


def full_pipe() -> tuple[int, int]:
    """A pipe that takes no more: who writes to it waits for ever."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


def drained(reader: int) -> str:
    """What has been written to a full pipe since it was emptied."""
    os.set_blocking(reader, False)
    text = b""
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            text += os.read(reader, 1 << 20)
        time.sleep(0.05)
    return text.decode(errors="replace").lstrip("x")


def wait_calls(place: Workplace, count: int) -> None:
    """Until so many model calls have been answered."""
    wait_until(lambda: len(place.model_calls()) >= count, f"no {count} model calls came", 40)


def assert_finished_calls_kept(place: Workplace) -> None:
    """Every call that the simulator finished 0.2 s before the kill or earlier stands in the ledger."""
    calls = place.sim.control.usage()["calls"]
    finished = sum(call["complete"] for call in calls)
    rows = place.must("usage", "--by", "model", "--json").last_json
    kept = sum(row["calls"] for row in rows)
    assert finished - 1 <= kept <= len(calls), f"{kept} of {finished} finished calls are in the ledger"
