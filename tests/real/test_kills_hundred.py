"""A hundred kills at a random moment, of a random process: whatever it was, the house is clean afterwards."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from tests.support.workplace import Workplace, workplace

pytestmark = [pytest.mark.real, pytest.mark.full]

HUNDRED = 100
VICTIMS = ("moor run", "moor.gateway", f"bin/{AGENT}", "all")
SCRIPTS = {
    "busy": """
about = "Commands that mean to outlive it, words, edits, and a command that takes a moment, again and again."

[[step]]
run = "setsid nohup sleep 4350 >/dev/null 2>&1 & echo started"

[[step]]
repeat = 30
pause = 0.05
say = "(simulated) a step"
run = "sleep 0.05"
""",
}


@pytest.mark.parametrize("seed", range(HUNDRED))
def test_a_kill_at_any_moment_leaves_nothing(tmp_path: Path, test_agents: Path, seed: int) -> None:
    dice = random.Random(seed)
    victim, moment = dice.choice(VICTIMS), dice.uniform(0.05, 6.0)
    with workplace(tmp_path, test_agents, SCRIPTS) as place:
        with place.background("run", "--json", "Please be busy, sim:busy") as run:
            time.sleep(moment)
            killed = kill(place, victim)
            run.communicate(timeout=60)
        if not killed or victim == "all":
            place.must("ps")
        place.wait_gone()
        place.must("ps")
        assert [session.id for session in place.sessions() if session.ended_at is None] == []
        assert list(place.store.sessions_dir.glob("*")) == []
        assert_ledger_is_whole(place)
        place.must("models", "--refresh")


def kill(place: Workplace, victim: str) -> int:
    """Kill them with -9; how many there were. A command of the agent is never the victim."""
    found = [pid for pid, command in place.processes().items() if victim == "all" or matches(command, victim)]
    if victim == "all":
        found = [pid for pid in found if any(matches(place.processes().get(pid, ""), one) for one in VICTIMS)]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(found)


def matches(command: str, victim: str) -> bool:
    """Whether the command line is that of the victim."""
    return victim in command.replace("-m moor run", "moor run")


def assert_ledger_is_whole(place: Workplace) -> None:
    """None is counted that the simulator did not serve; at most the calls under way are missing."""
    calls = place.sim.control.usage()["calls"]
    finished = sum(call["complete"] for call in calls)
    kept = sum(row["calls"] for row in place.must("usage", "--by", "model", "--json").last_json)
    assert finished - 2 <= kept <= len(calls)
