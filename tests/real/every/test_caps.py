"""A cap that stops, for every agent: an endless answer ends with a sentence, nothing resets what was spent."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any

import pytest

from moor.domain.result import BUDGET
from tests.real.every.station import Station, joined_words, result_of
from tests.support.workplace import wait_until

pytestmark = pytest.mark.real

ANSWER = 3_000
"""tokens that the cap leaves for the endless answer beside what the agent's own requests need"""
ERROR = 0.02
"""by how much an answer may pass a cap: a piece of the stream, and the estimate of its tokens"""


def total(usage: dict[str, int]) -> int:
    """All tokens of a result."""
    return sum(usage[name] for name in ("input", "output", "cache_read", "cache_write"))


def cap_for(station: Station) -> int:
    """A cap that lets the agent's own requests through and stops its answer."""
    return total(station.must_run("sim:hello")["tokens"]) + ANSWER


@pytest.mark.feature("F13.8", "F13.9")
def test_an_endless_answer_is_stopped_at_the_cap_with_a_sentence(station: Station) -> None:
    cap = cap_for(station)
    done = station.run("--budget-tokens", str(cap), "sim:endless", timeout=80)
    result = result_of(done)
    assert (done.code, result["status"]) == (1, BUDGET), f"{result}\n{done.stderr}"
    assert "this session has used" in joined_words(done.stderr)
    rows = station.rows(result["session"])
    outcomes = {row["outcome"] for row in rows}
    # Gemini CLI sees the loop in the simulated text and leaves by itself; what it asks next is refused
    assert outcomes & {"cut", "cancelled"}, rows
    spent = sum(row["input"] + row["output"] + row["cache_read"] + row["cache_write"] for row in rows)
    assert spent < cap * (1 + ERROR), f"{spent} of {cap}"
    assert spent > cap * 0.9 or "cut" not in outcomes, f"{spent} of {cap}"


@pytest.mark.feature("F13.8", "F12.25")
@pytest.mark.timeout(300)
def test_eight_sub_agents_share_one_cap(station: Station) -> None:
    """Some agents run them at once, some one by one, Codex ends its turn without them."""
    needed = total(station.must_run("--preset", "full", "sim:crowd", timeout=100)["tokens"])
    cap = needed + ANSWER
    done = station.run("--preset", "full", "--budget-tokens", str(cap), "sim:crowd:endless", timeout=150)
    rows = station.rows(result_of(done)["session"])
    endless = [row for row in rows if row["outcome"] in ("cut", "cancelled")]
    assert endless, rows
    spent = sum(total(row) for row in rows)
    assert spent < cap * (1 + ERROR), f"{spent} of {cap}: {rows}"
    if any(row["outcome"] == "cut" for row in endless):
        assert result_of(done)["status"] == BUDGET, done.stderr
        assert spent > cap * 0.9, f"{spent} of {cap}"


@pytest.mark.feature("F13.8")
def test_a_killed_gateway_resets_nothing(station: Station) -> None:
    limit = cap_for(station) * 2
    station.place.must("config", "set", "budgets.daily.tokens", str(limit + _spent_today(station)))
    try:
        with station.place.background(*station.run_argv("sim:endless")) as run:
            wait_until(lambda: _running_output(station) > 200, "no output of the running call", 60)
            os.kill(station.place.session().gateway_pid, signal.SIGKILL)
            with contextlib.suppress(Exception):
                run.wait(30)
        before = _spent_today(station)
        done = station.run("sim:endless", timeout=80)
        assert result_of(done)["status"] == BUDGET, done.stderr
        (daily,) = [one for one in station.place.must("budget", "show", "--json").last_json if one["name"] == "daily"]
        assert daily["lost"] > 0, daily
        assert daily["spent"] + daily["lost"] < daily["limit"] * (1 + ERROR)
        assert daily["spent"] >= before
        assert station.run("sim:hello").code == 1
    finally:
        station.place.must("config", "unset", "budgets.daily")


def _spent_today(station: Station) -> int:
    rows: list[dict[str, Any]] = station.place.must("usage", "--json", "--by", "day").last_json
    return sum(total(row) for row in rows)


def _running_output(station: Station) -> int:
    time.sleep(0.3)
    lines = station.place.must("top", "--json").last_json["lines"]
    return max((call["output"] for line in lines for call in line["running"]), default=0)
