"""An agent without a protocol: one process a prompt, asked for by its own hook or let loose as a whole."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from moor.agents.base import COMMAND, OTHER
from moor.agents.described.plain import PlainDriver
from moor.domain.event import ERROR, MESSAGE, PERMISSION, TOOL_CALL, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentAsksNobody, AgentStartFailed

ASKING = """
import json, os, socket, sys
def ask(**question):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.environ["MOOR_ASK"])
        s.sendall(json.dumps(question).encode() + b"\\n")
        return json.loads(s.makefile().readline())
"""


def plan(folder: Path, script: str, *args: str) -> LaunchPlan:
    return LaunchPlan(argv=(sys.executable, "-c", script, *args), env=dict(os.environ), cwd=str(folder))


def turn(driver: PlainDriver, what: LaunchPlan, prompt: str = "hello", *, allow: bool = True) -> list[Event]:
    async def main() -> list[Event]:
        events = []
        await driver.start(what)
        try:
            await driver.prompt(prompt)
            async for event in driver.events():
                events.append(event)
                if event.kind == PERMISSION:
                    await driver.answer(event.id, allow, "the rule")
        finally:
            await driver.close()
            await driver.close()
        return events

    return asyncio.run(main())


def test_what_it_prints_is_the_answer(tmp_path: Path) -> None:
    script = "import sys; print('got', sys.argv[1], repr(sys.stdin.read()))"
    events = turn(PlainDriver("mine", asks=False), plan(tmp_path, script, "-p={prompt}"))
    assert (events[0].kind, events[0].name, events[0].data["access"]) == (PERMISSION, "mine", OTHER)
    assert "".join(event.text for event in events if event.kind == MESSAGE) == "got -p=hello ''\n"
    assert (events[-1].kind, events[-1].status, events[-1].text) == (TURN_END, "end_turn", "got -p=hello ''")


def test_a_prompt_that_no_argument_takes_comes_on_its_input(tmp_path: Path) -> None:
    long = "word " * 50_000
    events = turn(PlainDriver("mine", asks=False), plan(tmp_path, "import sys; print(len(sys.stdin.read()))"), long)
    assert events[-1].text == str(len(long))


def test_a_failure_is_told_in_its_words_and_is_no_success(tmp_path: Path) -> None:
    script = "import sys; print('half'); print('no such model', file=sys.stderr); sys.exit(3)"
    events = turn(PlainDriver("mine", asks=False), plan(tmp_path, script))
    assert [(event.kind, event.text) for event in events[-2:]] == [(ERROR, "no such model"), (TURN_END, "half")]
    assert events[-1].status == "error"
    silent = turn(PlainDriver("mine", asks=False), plan(tmp_path, "raise SystemExit(4)"))
    assert silent[-2].text == "it ended with code 4"


def test_one_that_is_killed_is_a_failure(tmp_path: Path) -> None:
    events = turn(PlainDriver("mine", asks=False), plan(tmp_path, "import os; os.kill(os.getpid(), 9)"))
    assert [(event.kind, event.text) for event in events[-2:]] == [(ERROR, "it ended with code -9"), (TURN_END, "")]


def test_one_that_is_not_let_loose_is_not_started(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(AgentAsksNobody, match="the rule") as caught:
        turn(PlainDriver("mine", asks=False), plan(tmp_path, f"open({str(marker)!r}, 'w')"), allow=False)
    assert "--preset full" in caught.value.hint
    assert not marker.exists()


def test_a_program_that_cannot_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentStartFailed, match="No such file"):
        turn(PlainDriver("mine", asks=False), LaunchPlan(argv=("/nowhere/mine",), env={}, cwd=str(tmp_path)))


@pytest.mark.parametrize("allow", [True, False])
def test_its_hook_asks_before_it_acts(tmp_path: Path, allow: bool) -> None:
    script = ASKING + "print(ask(tool='bash', access='command', command='ls', paths=['a']))"
    events = turn(PlainDriver("mine", asks=True), plan(tmp_path, script), allow=allow)
    asked = next(event for event in events if event.kind == PERMISSION)
    assert (asked.name, asked.data["access"], asked.data["command"], asked.paths) == ("bash", COMMAND, "ls", ("a",))
    assert sum(event.kind == TOOL_CALL for event in events) == 1
    assert json.loads(events[-1].text.replace("'", '"').replace(str(allow), str(allow).lower())) == {
        "allow": allow,
        "note": "the rule",
    }


def test_a_question_that_makes_no_sense_is_denied_and_an_unknown_access_is_other(tmp_path: Path) -> None:
    script = ASKING + "print(ask(access=7)['allow'], ask(access='everything')['allow'])"
    events = turn(PlainDriver("mine", asks=True), plan(tmp_path, script), allow=False)
    assert [event.data["access"] for event in events if event.kind == PERMISSION] == [OTHER]
    assert events[-1].text == "False False"


def test_closing_answers_what_is_open_and_takes_the_process_along(tmp_path: Path) -> None:
    async def main() -> None:
        driver = PlainDriver("mine", asks=True)
        await driver.start(plan(tmp_path, ASKING + "ask(tool='x')"))
        await driver.prompt("x")
        async for event in driver.events():
            if event.kind == PERMISSION:
                break
        began = time.monotonic()
        await driver.close()
        assert time.monotonic() - began < 5

    asyncio.run(main())


def test_cancelling_ends_the_turn_and_is_no_failure(tmp_path: Path) -> None:
    async def main() -> list[Event]:
        driver = PlainDriver("mine", asks=False)
        await driver.start(plan(tmp_path, "import time; print('go', flush=True); time.sleep(4390)"))
        events = []
        try:
            await driver.prompt("x")
            async for event in driver.events():
                events.append(event)
                if event.kind == PERMISSION:
                    await driver.answer(event.id, True)
                if event.kind == MESSAGE:
                    await driver.cancel()
        finally:
            await driver.close()
        return events

    events = asyncio.run(main())
    assert (events[-1].kind, events[-1].status) == (TURN_END, "cancelled")
    assert not any(event.kind == ERROR for event in events)


def test_a_child_that_holds_its_output_open_does_not_hold_the_turn(tmp_path: Path) -> None:
    script = "import subprocess; subprocess.Popen(['sleep', '5']); print('done', flush=True)"
    began = time.monotonic()
    assert turn(PlainDriver("mine", asks=False), plan(tmp_path, script))[-1].text == "done"
    assert time.monotonic() - began < 4


def test_the_socket_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    script = (
        "import os; path = os.environ['MOOR_ASK']; print(path, oct(os.stat(os.path.dirname(path)).st_mode & 0o777))"
    )
    path, mode = turn(PlainDriver("mine", asks=True), plan(tmp_path, script))[-1].text.split()
    assert mode == "0o700"
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError):
        probe.connect(path)
