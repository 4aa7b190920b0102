"""An upstream that refuses, limits, fails or breaks off, for every agent: never success, soon, and in words."""

from __future__ import annotations

from typing import Any

import pytest

from moor.domain.result import COMPLETED
from tests.real.every.station import Station, joined_words, result_of
from tests.support.moor import Done

pytestmark = pytest.mark.real

FEW = 8
"""the gateway asks four times; the agent, told at the status where it stops, asks once or for its title too"""
FOR_EVER: dict[str, tuple[dict[str, Any], int, tuple[str, ...]]] = {
    "403": (
        {"status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no permission to query it"}},
        1,
        ("no permission to query it",),
    ),
    "429": (
        {"status": 429, "headers": {"retry-after": "3600"}, "body": {"error_code": "X", "message": "slow down"}},
        1,
        ("no call through", "slow down"),
    ),
    "500": (
        {"status": 500, "headers": {"retry-after-ms": "50"}, "body": {"error_code": "X", "message": "it broke"}},
        1,
        ("it broke", "left alone"),
    ),
}
"""fault, exit code, words of which the user reads some: an agent that waits is ended by moor, in other words"""


def run(station: Station, prompt: str, **how: Any) -> tuple[Done, list[int]]:
    """A run, and the statuses of the model calls that the simulator answered meanwhile."""
    before = len(station.place.model_calls())
    done = station.run(prompt, **how)
    return done, [call["status"] for call in station.place.model_calls()[before:]]


@pytest.mark.feature("F12.27")
def test_a_refusal_ends_the_run_in_its_words(station: Station) -> None:
    assert_told("403", station)


@pytest.mark.feature("F12.27")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", ["429", "500"])
def test_a_fault_for_ever_ends_the_run_in_its_words(case: str, station: Station) -> None:
    assert_told(case, station)


def assert_told(case: str, station: Station) -> None:
    """The run ends as failed, after few calls, in the upstream's words or ours."""
    fault, code, words = FOR_EVER[case]
    station.place.sim.control.fault(model="?*", **fault)
    done, statuses = run(station, "sim:hello", timeout=200)
    result = result_of(done)
    assert (done.code, result["status"]) == (code, "failed"), f"{result}\n{done.stderr}"
    assert any(each in joined_words(done.stderr) for each in words), done.stderr
    assert result["error"]["hint"]
    assert 1 <= len(statuses) <= FEW, f"{len(statuses)} calls: {statuses}"


@pytest.mark.feature("F2.3", "F12.27")
def test_a_sign_in_that_is_gone_ends_the_run_with_the_command_to_type(station: Station) -> None:
    station.place.sim.control.revoke_all(refresh_too=True)
    try:
        done, _ = run(station, "sim:hello")
        result = result_of(done)
        assert (done.code, result["status"]) == (3, "failed"), f"{result}\n{done.stderr}"
        assert "moor login" in done.stderr
    finally:
        station.place.must("login", "--upstream", station.place.session().upstream)


@pytest.mark.feature("F12.27")
@pytest.mark.parametrize("fault", ["end_after_bytes", pytest.param("cut_after_bytes", marks=pytest.mark.full)])
def test_a_stream_that_breaks_off_or_just_ends_is_repeated_or_told_and_never_an_answer(
    fault: str, station: Station
) -> None:
    station.place.sim.control.fault(model="?*", times=2, **{fault: 400})
    done, _ = run(station, "sim:hello")
    result = result_of(done)
    if result["status"] == COMPLETED:
        assert (done.code, result["text"]) == (0, "Hello from the simulated model.")
    else:
        assert (done.code, result["status"]) == (1, "failed")
        assert result["error"]["message"]


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", ["cut_after_bytes", "end_after_bytes"])
def test_a_stream_that_always_breaks_off_ends_as_failed(fault: str, station: Station) -> None:
    station.place.sim.control.fault(model="?*", **{fault: 400})
    done, statuses = run(station, "sim:hello", timeout=200)
    assert (done.code, result_of(done)["status"]) == (1, "failed"), done.stderr
    assert len(statuses) <= 12


@pytest.mark.full
@pytest.mark.timeout(240)
def test_an_error_inside_every_answer_ends_as_failed(station: Station) -> None:
    done, statuses = run(station, "sim:error-mid-stream", timeout=200)
    assert (done.code, result_of(done)["status"]) == (1, "failed"), done.stderr
    assert len(statuses) <= 12


@pytest.mark.feature("F7.9")
def test_its_own_interface_shows_why_a_call_was_refused(station: Station) -> None:
    tui = station.probe.tui
    station.place.sim.control.fault(model="?*", **FOR_EVER["403"][0])
    with station.window() as window:
        tui.start(window)
        tui.ask(window, "Say hello, sim:hello")
        tui.wait_answer(window, "no permission to query it", 40)
