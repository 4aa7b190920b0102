"""Every agent does the read-edit-run-report task: headless, in its own interface, and over many short tokens."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moor.domain.result import COMPLETED
from tests.real.every.station import Station, result_of
from tests.support.network import beyond
from tests.support.trouble import assert_no_secret
from tests.support.workplace import TOKENS

pytestmark = pytest.mark.real

LIFE_S = 5
SIM = {"token_ttl_s": LIFE_S}
TASK = "Please mend the failing test, sim:fix-test"
DONE = "the three tests pass"


def assert_mended(station: Station) -> None:
    """The tests of the repository pass."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "-q"], cwd=station.place.repository, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def furnished(station: Station) -> Station:
    """With the user's own set-up of the agent, which would lead it off the wire."""
    station.plant(station.place.home.user, station.probe.own_files)
    return station


@pytest.mark.feature("F12.1", "F12.3", "F8.9", "F5.2", "F18.1", "F3.22")
def test_the_task_is_done_headless_and_nothing_else_is_touched(furnished: Station) -> None:
    station, place = furnished, furnished.place
    before, used, secrets = station.picture(), place.used() if place.sessions() else ({}, {}), place.credentials()
    done = station.run_watched(TASK)
    result = result_of(done)
    assert (done.code, result["status"], result["error"]) == (0, COMPLETED, None), f"{result}\n{done.stderr}"
    assert (result["agent"], result["changed_files"]) == (station.agent_id, ["pricing.py"])
    assert result["tool_calls"] >= 4
    assert DONE in result["text"]
    assert_mended(station)
    place.assert_clean_end()
    assert beyond(station.log) == set()
    station.assert_harmless()
    station.assert_untouched(before, ["pricing.py"])
    place.assert_ledger_equals_sim(since=used)
    row = place.must("usage", "--session", result["session"], "--by", "session", "--json").last_json[0]
    assert {name: result["tokens"][name] for name in TOKENS} == {name: row[name] for name in TOKENS}
    assert row["failed"] == 0, [call for call in station.rows(result["session"]) if call["status"] != 200]
    assert_no_secret(place.folder, secrets, done.stdout, done.stderr)


@pytest.mark.feature("F7.1", "F7.2", "F3.22", "F8.6", "F18.1", "F5.2")
def test_the_task_is_done_in_its_own_interface_from_a_silent_first_launch(furnished: Station) -> None:
    station, place, tui = furnished, furnished.place, furnished.probe.tui
    before, used = station.picture(), place.used() if place.sessions() else ({}, {})
    with station.window(watched=True) as window:
        tui.start(window)
        tui.ask(window, TASK)
        tui.wait_answer(window, DONE, 90)
        assert tui.leave(window) == tui.exit_code
    place.assert_clean_end()
    assert_mended(station)
    assert beyond(station.log) == set()
    station.assert_harmless()
    station.assert_untouched(before, ["pricing.py"])
    place.assert_ledger_equals_sim(since=used)


@pytest.mark.feature("F7.1")
def test_its_own_arguments_answer_a_prompt_and_continue_the_conversation(station: Station) -> None:
    place = station.place
    first = station.own(station.probe.shot, "Remember the word LANTERN, sim:hello")
    assert first.code == 0, first.stdout + first.stderr
    assert "Hello from the simulated model." in first.stdout
    place.wait_gone()
    calls = len(place.model_calls())
    again = station.own(station.probe.resume, "And now again, sim:hello")
    assert again.code == 0, again.stdout + again.stderr
    bodies = [call["body_text"] for call in place.sim.control.requests(bodies=True) if call["model"]][calls:]
    assert any("LANTERN" in body and "And now again" in body for body in bodies)


@pytest.mark.feature("F2.1", "F2.2", "F2.8")
def test_a_turn_outlives_its_tokens(station: Station) -> None:
    outlive(station, turns=9, lives=2)


@pytest.mark.full
@pytest.mark.timeout(240)
def test_thirty_turns_outlive_six_tokens(station: Station) -> None:
    outlive(station, turns=30, lives=6)


def outlive(station: Station, turns: int, lives: int) -> None:
    """So many tool calls, one a second: the agent never learns that its token ended."""
    place = station.place
    used = place.used() if place.sessions() else ({}, {})
    before = len(place.model_calls())
    result = station.must_run("--preset", "full", f"Please go on, sim:turns:{turns}:1.0", timeout=200)
    assert (result["status"], result["tool_calls"]) == (COMPLETED, turns)
    place.assert_clean_end()
    calls = place.model_calls()[before:]
    assert len({call["token_generation"] for call in calls}) >= lives
    seen = [row["status"] for row in station.rows(result["session"])]
    assert [status for status in seen if status >= 400] == [], "the agent itself must not see one"
    counts = place.sim.control.tokens()
    assert (counts["refresh_presented_twice"], counts["families_revoked"]) == (0, 0)
    place.assert_ledger_equals_sim(since=used)


@pytest.mark.feature("F13.2", "F13.4")
def test_a_question_nobody_can_answer_is_rejected_and_the_work_goes_on(station: Station) -> None:
    """With the user's proxy set, that no agent may send a loopback call to."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    done = station.run("--timeout", "60", "sim:ask", env={name: station.filled("@EVIL@") for name in proxies})
    assert done.code == 0, done.stdout + done.stderr
    result = done.last_json
    assert station.trap.callers == 0
    assert result["status"] == COMPLETED
    assert [one["answer"] for one in result["auto_answered"] if one["kind"] == "question"] == ["rejected"]
