"""The driver on an agent that plays one behaviour: what it tells, what it answers, and that it always ends."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moor.agents.acp import AcpDriver, AcpTraits
from moor.agents.base import COMMAND, WRITE
from moor.domain.event import ERROR, MESSAGE, PERMISSION, QUESTION, TOOL_CALL, TOOL_UPDATE, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed
from tests.support.opencode_context import make_context

AGENT = Path(__file__).parents[3] / "support" / "acp_agent.py"
pytestmark = pytest.mark.usefixtures("no_leaks")

Body = Callable[[AcpDriver], Awaitable[Any]]


def drive(folder: Path, behaviour: str, body: Body, **traits: Any) -> Any:
    """Start an agent of that behaviour, do something with it, close it."""

    async def main() -> Any:
        driver = AcpDriver(make_context(folder), AcpTraits(agent="fake", **traits))
        env = {"ACP_LOG": str(folder / "log"), "PYTHONIOENCODING": "utf-8"}
        argv = (sys.executable, str(AGENT), behaviour)
        try:
            await driver.start(LaunchPlan(argv=argv, env=env, cwd=str(folder)))
            return await body(driver)
        finally:
            began = time.monotonic()
            await driver.close()
            await driver.close()
            assert time.monotonic() - began < 5

    return asyncio.run(main())


def turn(*, allow: bool = True, prompt: str = "go") -> Callable[[AcpDriver], Awaitable[list[Event]]]:
    """One turn, everything answered alike."""

    async def body(driver: AcpDriver) -> list[Event]:
        await driver.prompt(prompt)
        events = []
        async for event in driver.events():
            events.append(event)
            if event.kind in (PERMISSION, QUESTION):
                await driver.answer(event.id, allow, "a note")
                await driver.answer(event.id, allow, "again")
        return events

    return body


def sent(folder: Path) -> list[dict[str, Any]]:
    """What the agent was sent."""
    return [json.loads(line) for line in (folder / "log").read_text(encoding="utf-8").splitlines()]


@pytest.mark.feature("F12.1", "F12.13", "F12.14")
def test_a_write_is_asked_for_with_every_file_it_names(tmp_path: Path) -> None:
    events = drive(tmp_path, "edit", turn())
    kinds = [(event.kind, event.status) for event in events]
    assert kinds == [
        (MESSAGE, ""),
        (TOOL_CALL, "pending"),
        (PERMISSION, ""),
        (TOOL_UPDATE, "completed"),
        (MESSAGE, ""),
        (TURN_END, "end_turn"),
    ]
    asked = events[2]
    assert asked.data["access"] == WRITE
    assert asked.paths == ("/w/a.txt", "/w/b.txt")
    assert all(event.raw for event in events)


def test_the_weakest_option_is_taken_and_files_of_an_editor_are_not_served(tmp_path: Path) -> None:
    assert drive(tmp_path, "edit", turn())[-1].text == '["once", -32601]'
    hello = next(message for message in sent(tmp_path) if message.get("method") == "initialize")
    assert hello["params"]["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
    }


def test_a_denied_call_is_told_as_failed_though_the_agent_says_otherwise(tmp_path: Path) -> None:
    events = drive(tmp_path, "edit", turn(allow=False))
    updates = [event for event in events if event.kind == TOOL_UPDATE]
    assert [(event.status, event.data) for event in updates] == [("failed", {"denied": True})]
    assert events[-1].text == '["no", -32601]'


def test_a_question_is_declined(tmp_path: Path) -> None:
    events = drive(tmp_path, "question", turn())
    assert (events[0].kind, events[0].title) == (QUESTION, "Which colour?")
    assert events[-1].text == "decline"


def test_an_error_is_told_in_the_innermost_words(tmp_path: Path) -> None:
    error, end = drive(tmp_path, "error", turn())
    assert (error.kind, error.text, error.data["status"]) == (ERROR, "no more money", 403)
    assert (end.kind, end.status) == (TURN_END, "error")


async def cancelled(driver: AcpDriver) -> list[Event]:
    """Cancel at the first sign, then read on."""
    await driver.prompt("go")
    events = driver.events()
    first = await anext(events)
    await asyncio.sleep(0.2)  # a permission that nobody has seen yet may wait now
    began = time.monotonic()
    await driver.cancel()
    assert time.monotonic() - began < 5
    return [first, *[event async for event in events]]


@pytest.mark.feature("F12.8")
@pytest.mark.parametrize("behaviour", ["wait", "wait-asking"])
def test_cancelling_ends_the_turn_and_takes_back_what_was_asked(tmp_path: Path, behaviour: str) -> None:
    events = drive(tmp_path, behaviour, cancelled)
    assert (events[-1].kind, events[-1].status) == (TURN_END, "cancelled")
    assert PERMISSION not in [event.kind for event in events]
    if behaviour == "wait-asking":
        assert {"outcome": {"outcome": "cancelled"}} in [message.get("result") for message in sent(tmp_path)]


def test_an_agent_that_does_not_stop_is_ended(tmp_path: Path) -> None:
    with pytest.raises(AgentGone):
        drive(tmp_path, "deaf", cancelled)


def test_closing_in_the_middle_stops_the_turn_first(tmp_path: Path) -> None:
    async def body(driver: AcpDriver) -> Event:
        await driver.prompt("go")
        return await anext(driver.events())

    assert drive(tmp_path, "wait", body).text == "begun"
    assert sent(tmp_path)[-1]["method"] == "session/cancel"


def test_a_command_is_told_as_its_line_and_folder(tmp_path: Path) -> None:
    async def body(driver: AcpDriver) -> Event:
        await driver.prompt("go")
        return await anext(event async for event in driver.events() if event.kind == PERMISSION)

    asked = drive(tmp_path, "wait-asking", body)
    assert (asked.data["access"], asked.data["command"], asked.data["cwd"]) == (COMMAND, "ls 'a b'", "/w")


def test_two_turns_are_told_apart(tmp_path: Path) -> None:
    async def body(driver: AcpDriver) -> list[str]:
        return [(await turn()(driver))[-1].text for _ in range(2)]

    assert drive(tmp_path, "question", body) == ["decline", "decline"]


def test_noise_between_messages_changes_nothing(tmp_path: Path) -> None:
    message, end = drive(tmp_path, "noise", turn())
    assert (len(message.text), end.status) == (2_000_000, "end_turn")


def test_a_line_without_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentProtocolError):
        drive(tmp_path, "flood", turn())


@pytest.mark.feature("F12.27")
def test_an_agent_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(AgentGone, match="on fire"):
        drive(tmp_path, "die", turn())


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("dead", "code 4.*no such library"),
        ("hang", "does not answer within 1 s"),
        ("sign-in", "asks for a sign-in"),
        ("version", "the protocol that is expected"),
    ],
)
def test_a_start_that_fails_says_why(tmp_path: Path, behaviour: str, words: str) -> None:
    with pytest.raises(AgentStartFailed, match=f"(?s){words}"):
        drive(tmp_path, behaviour, turn(), start_s=1.0 if behaviour == "hang" else 55.0)


@pytest.mark.parametrize(("prompt", "told"), [(" /x y", "The task:  /x y"), ("a /x", "a /x")])
def test_a_prompt_is_for_the_model_though_it_looks_like_a_command(tmp_path: Path, prompt: str, told: str) -> None:
    drive(tmp_path, "edit", turn(prompt=prompt), commands=("/",))
    asked = next(one for one in sent(tmp_path) if one.get("method") == "session/prompt")
    assert asked["params"]["prompt"] == [{"type": "text", "text": told}]


@pytest.mark.feature("F12.12")
@pytest.mark.parametrize(
    ("behaviour", "chosen"),
    [
        ("edit", [("session/set_model", {"modelId": "m"}), ("session/set_mode", {"modeId": "plan"})]),
        (
            "options",
            [
                ("session/set_config_option", {"configId": "model", "value": "m"}),
                ("session/set_mode", {"modeId": "plan"}),
            ],
        ),
    ],
)
def test_model_and_mode_are_chosen_in_the_agents_way(tmp_path: Path, behaviour: str, chosen: list[Any]) -> None:
    drive(tmp_path, behaviour, nothing, model="m", mode="plan")
    asked = [(one["method"], one["params"]) for one in sent(tmp_path) if "/set_" in one.get("method", "")]
    assert asked == [(method, {"sessionId": "s1", **params}) for method, params in chosen]


async def nothing(driver: AcpDriver) -> None:
    """Only start and close."""
    assert driver.agent_session == "s1"
