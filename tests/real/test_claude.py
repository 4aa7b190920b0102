"""The real Claude Code under moor: how it is driven and ended, and what it makes of what moor tells it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import mmap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.claude import CLAUDE, PINNED
from moor.agents.claude.driver import ClaudeDriver
from moor.clock import SystemClock
from moor.domain.event import MESSAGE, PERMISSION, TOOL_UPDATE, TURN_END, Event
from moor.errors.agent import AgentGone
from moor.launch.headless import headless_session
from moor.launch.prepare import Request, prepare
from moor.store.home import Home
from moor.store.settings import load_settings
from tests.support.claude_context import SONNET, make_context
from tests.support.workplace import UPSTREAM, Workplace, wait_until, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "look": """
about = "Writes down what a tool sees."

[[step]]
run = "git config user.name > seen.txt; echo $HOME $XDG_CONFIG_HOME $SHELL >> seen.txt"

[[step]]
run = "env | grep -c -E '^(ANTHROPIC_|CLAUDE_CODE_(SHELL|TMPDIR|MAX)|CLAUDE_CONFIG|TMPDIR)' >> seen.txt"

[[step]]
say = "Seen."
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("claude"), test_agents, SCRIPTS) as made:
        (made.home.user / ".gitconfig").write_text("[user]\n\tname = The User\n", encoding="utf-8")
        yield made


def own(place: Workplace, *argv: str) -> str:
    """`moor claude ARGV`, to a good end; what it said."""
    return place.must(CLAUDE.id, *argv).stdout


def bodies(place: Workplace, since: int) -> list[dict[str, Any]]:
    """Bodies of model calls after the first so many, as the agent's words reached the simulator."""
    calls = [call for call in place.sim.control.requests(bodies=True) if call["model"]]
    return [json.loads(call["body_text"]) for call in calls[since:]]


@pytest.mark.feature("F6.1", "F6.12")
def test_it_is_listed_with_what_is_tested(place: Workplace) -> None:
    rows = {row["agent"]: row for row in place.must("agents", "--json").last_json}
    assert (rows[CLAUDE.id]["installed"], rows[CLAUDE.id]["tested"]) == (PINNED, PINNED)


@pytest.mark.feature("F17.12")
def test_a_tool_sees_the_users_own_environment(place: Workplace) -> None:
    env = {"XDG_CONFIG_HOME": f"{place.home.user}/.config"}
    argv = ("run", "--agent", CLAUDE.id, "--json", "--preset", "full", "sim:look")
    done = place.moor(*argv, env=env)
    assert done.code == 0, done.stderr
    seen = (place.repository / "seen.txt").read_text(encoding="utf-8").splitlines()
    (place.repository / "seen.txt").unlink()
    # TMPDIR is the user's own, set by the workplace
    assert seen == ["The User", f"{place.home.user} {place.home.user}/.config /bin/bash", "1"]


@pytest.mark.feature("F4.6", "F4.8")
def test_a_slot_and_the_effort_are_what_is_called(place: Workplace) -> None:
    before = len(place.model_calls())
    place.must("config", "set", "agents.claude.slots.opus", "system.ai.claude-opus-4-7")
    try:
        done = place.must("--effort", "low", CLAUDE.id, "-p", "--model", "opus", "sim:hello")
    finally:
        place.must("config", "unset", "agents.claude.slots.opus")
    sent = bodies(place, before)
    assert "Hello from the simulated model." in done.stdout
    assert {body["model"] for body in sent} == {"system.ai.claude-opus-4-7"}
    # the first call tells the gateway that the workspace refuses the field; later ones come without it
    assert sent[0].get("output_config", {"effort": "low"}) == {"effort": "low"}


@pytest.mark.feature("F7.1", "F12.7")
def test_what_was_driven_is_resumed_in_its_own_interface_and_carried_home(place: Workplace) -> None:
    result = place.must("run", "--agent", CLAUDE.id, "--json", "Remember LANTERN, sim:hello").last_json
    assert result["status"] == "completed"
    newest = place.must("session", "list", "--agent", CLAUDE.id, "--json").last_json[0]
    before = len(place.model_calls())
    own(place, "-p", "--resume", newest["id"], "And again, sim:hello")
    assert "LANTERN" in json.dumps(bodies(place, before)[-1]["messages"])
    place.must("session", "export", "--agent", CLAUDE.id, "--to-agent-home", newest["id"])
    (carried,) = (place.home.user / ".claude" / "projects").rglob("*.jsonl")
    assert "LANTERN" in carried.read_text(encoding="utf-8")


@pytest.mark.feature("F5.9")
def test_a_session_that_is_not_there_ends_with_its_own_code_and_words(place: Workplace) -> None:
    done = place.moor(CLAUDE.id, "-p", "--resume", "00000000-0000-4000-8000-000000000000", "x")
    assert done.code == 1
    assert "No conversation found" in done.stdout + done.stderr


def test_every_switch_that_is_set_is_known_to_the_program(tmp_path: Path, test_agents: Path) -> None:
    program = CLAUDE.find(Home(tmp_path / "moor"), {"MOOR_TEST_AGENTS": str(test_agents)})
    context = make_context(tmp_path, mode="server", models=(SONNET,), slots={"subagent": SONNET}, trusted=True)
    mine = {name for name in CLAUDE.plan(context).env.keys() - context.environ.keys() if "_" in name}
    with Path(program.path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert [name for name in sorted(mine) if data.find(name.encode()) < 0] == []


# the driver, beside a gateway of its own

Work = Callable[[ClaudeDriver], Awaitable[None]]


@contextlib.asynccontextmanager
async def driving(place: Workplace) -> AsyncIterator[ClaudeDriver]:
    """A started driver; everything has ended behind it."""
    loaded = load_settings(place.store, place.environ, place.repository)
    request = Request(agent=CLAUDE.id, upstream=UPSTREAM, cwd=str(place.repository))
    prepared = prepare(place.store, loaded, place.environ, SystemClock(), request)
    async with headless_session(prepared) as live:
        driver = ClaudeDriver(live.context)
        try:
            await driver.start(live.plan)
            yield driver
        finally:
            began = time.monotonic()
            await driver.close()
            await driver.close()
            assert time.monotonic() - began < 5
    await asyncio.to_thread(place.wait_gone)


def drive(place: Workplace, work: Work) -> None:
    """Run a piece of work on a started driver."""

    async def main() -> None:
        async with driving(place) as driver:
            await work(driver)

    asyncio.run(main())


async def turn(driver: ClaudeDriver, prompt: str) -> list[Event]:
    """All events of one turn in which everything is allowed."""
    await driver.prompt(prompt)
    events = []
    async for event in driver.events():
        events.append(event)
        if event.kind == PERMISSION:
            await driver.answer(event.id, True)
    return events


async def begin(place: Workplace, driver: ClaudeDriver, prompt: str, command: str) -> asyncio.Task[list[Event]]:
    """A turn that goes on, once its command runs."""
    going = asyncio.create_task(turn(driver, prompt))
    await asyncio.to_thread(place.wait_for_process, command, 20)
    return going


@pytest.mark.feature("F12.1", "F12.4", "F12.5")
def test_two_turns_of_one_session_are_told_apart(place: Workplace) -> None:
    async def work(driver: ClaudeDriver) -> None:
        first, second = await turn(driver, "sim:turns:2"), await turn(driver, "sim:hello")
        assert first[-1].text == "(simulated) All 2 turns are done."
        assert sum(event.kind == TOOL_UPDATE and event.status == "completed" for event in first) == 2
        assert second[-1].text == "Hello from the simulated model."
        assert "".join(event.text for event in second if event.kind == MESSAGE) == second[-1].text
        assert not any(event.kind == TOOL_UPDATE for event in second)

    drive(place, work)


@pytest.mark.feature("F12.8")
def test_cancelling_ends_the_turn_and_its_command_and_the_session_goes_on(place: Workplace) -> None:
    async def work(driver: ClaudeDriver) -> None:
        going = await begin(place, driver, "sim:run:sleep+4451", "sleep 4451")
        began = time.monotonic()
        await driver.cancel()
        assert time.monotonic() - began < 5
        last = (await going)[-1]
        assert (last.kind, last.status) == (TURN_END, "cancelled")
        await asyncio.to_thread(wait_until, lambda: "sleep 4451" not in commands(place), "it still runs", 5)
        assert (await turn(driver, "Go on."))[-1].status == "end_turn"

    drive(place, work)


@pytest.mark.feature("F12.11")
def test_closing_in_the_middle_takes_the_command_along(place: Workplace) -> None:
    async def work(driver: ClaudeDriver) -> None:
        going = await begin(place, driver, "sim:run:sleep+4452", "sleep 4452")
        await driver.close()
        with pytest.raises(AgentGone):
            await going

    drive(place, work)
    assert "sleep 4452" not in commands(place)


@pytest.mark.feature("F13.1")
def test_what_it_would_allow_by_itself_is_asked_for_too(place: Workplace) -> None:
    async def work(driver: ClaudeDriver) -> None:
        await driver.prompt("sim:run:cat+/etc/hostname")
        async for event in driver.events():
            if event.kind == PERMISSION:
                assert event.data["command"] == "cat /etc/hostname"
                await driver.answer(event.id, False, "not for you")
            if event.kind == TOOL_UPDATE:
                assert (event.status, "not for you" in event.data["error"]) == ("failed", True)

    drive(place, work)


def commands(place: Workplace) -> list[str]:
    """Commands of the workplace's processes."""
    return list(place.processes().values())
