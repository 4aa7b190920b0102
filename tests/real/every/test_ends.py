"""Killed, hung up, cancelled: within five seconds nothing of an agent is left, and what was used is in the ledger."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from moor.agents import load_agent
from moor.domain.result import CANCELLED, FAILED
from tests.real.every.station import Station
from tests.support.window import Window
from tests.support.workplace import last_json

pytestmark = pytest.mark.real


@pytest.mark.feature("F12.8", "F12.11")
def test_a_killed_run_leaves_nothing(station: Station) -> None:
    with station.place.background(
        *station.run_argv("--preset", "full", "Please wait, sim:run:timeout+4341+tail+-f+/dev/null")
    ) as run:
        station.place.wait_for_process("timeout 4341 tail")
        run.kill()
        run.wait()
    station.place.assert_clean_end()


@pytest.mark.feature("F12.8")
def test_a_cancelled_run_ends_in_order(station: Station) -> None:
    used = station.place.used() if station.place.sessions() else ({}, {})
    with station.place.background(
        *station.run_argv("--preset", "full", "Please wait, sim:run:timeout+4342+tail+-f+/dev/null")
    ) as run:
        station.place.wait_for_process("timeout 4342 tail")
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=15)
    assert (run.returncode, last_json(out)["status"]) == (130, CANCELLED)
    assert station.place.assert_clean_end().outcome == CANCELLED
    station.place.assert_ledger_equals_sim(since=used)


@pytest.mark.feature("F12.27")
def test_one_that_is_killed_in_the_middle_is_told(station: Station) -> None:
    with station.place.background(
        *station.run_argv("--preset", "full", "Please wait, sim:run:timeout+4343+tail+-f+/dev/null")
    ) as run:
        station.place.wait_for_process("timeout 4343 tail")
        for pid in programs(station):
            os.kill(pid, signal.SIGKILL)
        out, err = run.communicate(timeout=30)
    result = last_json(out)
    assert (run.returncode, result["status"], result["error"]["ref"]) == (1, FAILED, "agent-gone"), f"{result}\n{err}"
    assert result["error"]["hint"] in err
    assert station.place.assert_clean_end().outcome == FAILED


@pytest.mark.feature("F7.1")
def test_a_closed_terminal_ends_agent_gateway_and_commands(station: Station) -> None:
    """Of a command that no agent takes for mere waiting: one refuses a bare sleep."""
    with station.window() as window:
        start_waiting(station, window, 4344)
        window.hang_up()
        station.place.assert_clean_end()


@pytest.mark.feature("F12.11")
def test_one_that_is_killed_in_its_interface_leaves_nothing(station: Station) -> None:
    """A sandbox that is killed with its command leaves folders that it had mounted over."""
    with station.window() as window:
        start_waiting(station, window, 4347)
        for pid, command in station.place.processes().items():
            if "moor.gateway" not in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        station.place.assert_clean_end()


def start_waiting(station: Station, window: Window, number: int) -> None:
    """Have the agent, in its own interface, run a command that does not end; of that number, to be told by."""
    tui = station.probe.tui
    tui.start(window)
    tui.ask(window, f"Please wait, sim:run:timeout+{number}+tail+-f+/dev/null")
    end = time.monotonic() + 40
    while f"timeout {number} tail -f /dev/null" not in station.place.processes().values():
        assert time.monotonic() < end, window.text
        tui.allow_what_is_asked(window)
        time.sleep(0.1)


def programs(station: Station) -> list[int]:
    """Processes of the agent itself: what runs from the folder of its version."""
    version = load_agent(station.agent_id).find(station.place.store, station.place.environ).version
    folder = f"/{station.agent_id}/{version}/"
    found = [pid for pid, command in station.place.processes().items() if folder in command]
    assert found, station.place.processes()
    return found
