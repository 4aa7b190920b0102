"""A run on a driver of our own making: it always ends, in order, and says how."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import COMMAND
from moor.domain.event import ERROR, MESSAGE, PERMISSION, QUESTION, STATUS, TOOL_CALL, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.domain.result import CANCELLED, COMPLETED, FAILED, TIMEOUT, RunResult
from moor.domain.session import Session
from moor.drive.run import HeadlessRun, RunOptions
from moor.errors.agent import AgentGone, AgentStartFailed
from moor.errors.base import ExitCode, MoorError
from moor.errors.run import PermissionRuleInvalid
from moor.journal.reader import read_events
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.opencode_context import make_context

END = Event(kind=TURN_END, status="end_turn", text="the answer")
ASK = Event(kind=PERMISSION, id="p1", name="bash", title="sudo ls", data={"access": COMMAND, "command": "sudo ls"})
Step = Event | MoorError | float


class Script:
    """An agent whose driver plays events; a number is a pause, an error is raised."""

    def __init__(self, *steps: Step, start: MoorError | None = None) -> None:
        self.steps = steps
        self.begin = start
        self.done: list[str] = []
        self.answers: list[tuple[str, bool, str]] = []
        self.played = 0

    def driver(self, _: object) -> Script:
        return self

    async def start(self, _: object) -> None:
        if self.begin:
            raise self.begin

    async def prompt(self, text: str) -> None:
        self.done.append(f"prompt {text}")

    async def events(self) -> AsyncIterator[Event]:
        for place, step in enumerate(self.steps):
            self.played = place
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, MoorError):
                raise step
            else:
                yield step

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        self.answers.append((event_id, allow, note))

    async def cancel(self) -> None:
        self.done.append("cancel")

    async def close(self) -> None:
        self.done.append("close")


class Live:
    def __init__(self, folder: Path, done: list[str]) -> None:
        self.context = make_context(folder)
        self.plan = LaunchPlan(argv=(), env={}, cwd=self.context.session.cwd)
        self.gateway_alive = True
        self.done = done

    @property
    def session(self) -> Session:
        return self.context.session

    async def end(self) -> None:
        self.done.append("end")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "moor")
        self.home.ensure()
        self.seen: list[Event] = []
        self.warned: list[tuple[str, int]] = []
        """with the step at which it came"""

    def run(
        self,
        script: Script,
        *,
        meanwhile: Callable[[HeadlessRun, Live], None] | None = None,
        prompt: str = "do it",
        **options: Any,
    ) -> tuple[RunResult, ExitCode]:
        async def main() -> tuple[RunResult, ExitCode]:
            live = Live(self.folder, script.done)
            store = SessionStore(self.home)
            store.add(live.session)
            store.close()
            run = HeadlessRun(
                live,
                script,  # type: ignore[arg-type]
                self.home,
                RunOptions(**options),
                self.seen.append,
                on_warning=lambda text: self.warned.append((text, script.played)),
            )
            if meanwhile:
                asyncio.get_running_loop().call_later(0.2, meanwhile, run, live)
            result = await run.execute(prompt)
            return result, run.exit_code

        return asyncio.run(main())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.feature("F12.3", "F12.6", "F12.11")
def test_a_turn_that_ends_is_completed_and_everything_is_closed_in_order(bench: Bench) -> None:
    script = Script(Event(kind=TOOL_CALL, id="1", name="bash"), Event(kind=MESSAGE, text="the answer"), END)
    result, code = bench.run(script)
    assert (result.status, result.text, result.tool_calls, code) == (COMPLETED, "the answer", 1, ExitCode.OK)
    assert script.done == ["prompt do it", "cancel", "close", "end"]
    assert result.error is None
    assert result.duration_s > 0


@pytest.mark.feature("F12.14", "F12.15")
def test_events_are_shown_and_kept_in_order(bench: Bench) -> None:
    bench.run(Script(Event(kind=MESSAGE, text="a", raw={"x": 1}), Event(kind=MESSAGE, text="b"), END))
    kept = read_events(bench.home, "ses_1")
    assert [entry.event.text for entry in kept] == ["a", "b", "the answer"] == [event.text for event in bench.seen]
    assert kept[0].event.raw == {"x": 1}


def test_an_error_that_the_agent_reports_as_success_is_a_failure(bench: Bench) -> None:
    script = Script(Event(kind=ERROR, text="Unauthorized"), Event(kind=TURN_END, status="error"))
    result, code = bench.run(script)
    assert result.status == FAILED
    assert result.error is not None
    assert result.error.message == "Unauthorized"
    assert code == ExitCode.FAILED


@pytest.mark.feature("F13.4")
def test_permissions_and_questions_are_answered_by_rule_and_listed(bench: Bench) -> None:
    script = Script(ASK, Event(kind=QUESTION, id="q1", title="Which?"), END)
    result, _ = bench.run(script)
    assert script.answers[0][:2] == ("p1", False)
    assert "Not allowed" in script.answers[0][2]
    assert script.answers[1][:2] == ("q1", False)
    assert [(one.kind, one.answer) for one in result.auto_answered] == [
        ("permission", "denied"),
        ("question", "rejected"),
    ]
    assert result.auto_answered[0].what == "bash: sudo ls"


@pytest.mark.feature("F12.9")
def test_a_run_ends_when_its_time_is_over(bench: Bench) -> None:
    script = Script(30.0, END)
    result, code = bench.run(script, timeout_s=0.3)
    assert (result.status, code) == (TIMEOUT, ExitCode.FAILED)
    assert result.error is not None
    assert result.error.ref == "run-timeout"
    assert script.done[-3:] == ["cancel", "close", "end"]


def test_a_run_without_a_sign_of_life_ends(bench: Bench) -> None:
    result, _ = bench.run(Script(30.0, END), stall_s=0.3)
    assert result.error is not None
    assert result.error.ref == "run-stalled"


@pytest.mark.feature("F13.8", "F12.11")
def test_a_warning_of_the_gateway_is_told_once_while_the_work_goes_on(bench: Bench) -> None:
    def half(_: HeadlessRun, live: Live) -> None:
        store = SessionStore(bench.home)
        store.update(live.session.id, warning="50 % of the session cap is used")
        store.close()

    result, _ = bench.run(Script(4.6, END), meanwhile=half)
    assert bench.warned == [("50 % of the session cap is used", 0)]
    assert result.warning == "50 % of the session cap is used"


@pytest.mark.feature("F12.8")
def test_a_run_that_is_stopped_is_cancelled(bench: Bench) -> None:
    result, code = bench.run(Script(30.0, END), meanwhile=lambda run, _: run.stop())
    assert (result.status, code) == (CANCELLED, ExitCode.CANCELLED)


def test_a_lost_gateway_ends_the_run(bench: Bench) -> None:
    began = time.monotonic()
    result, _ = bench.run(Script(30.0, END), meanwhile=lambda _, live: setattr(live, "gateway_alive", False))
    assert result.error is not None
    assert result.error.ref == "gateway-lost"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("script", "ref", "code"),
    [
        (Script(start=AgentStartFailed(agent="x", problem="y")), "agent-start", ExitCode.FAILED),
        (Script(Event(kind=MESSAGE, text="half"), AgentGone(agent="x")), "agent-gone", ExitCode.FAILED),
    ],
)
def test_an_agent_that_fails_is_told_and_closed(bench: Bench, script: Script, ref: str, code: ExitCode) -> None:
    result, exit_code = bench.run(script)
    assert result.status == FAILED
    assert result.error is not None
    assert result.error.ref == ref
    assert exit_code == code
    assert script.done[-2:] == ["close", "end"]


def test_a_long_limit_ends_the_run_and_a_short_one_is_waited_for(bench: Bench) -> None:
    soon = Event(kind=STATUS, text="retry", title="limited", data={"next": (time.time() + 5) * 1000})
    late = Event(kind=STATUS, text="retry", title="limited", data={"next": (time.time() + 4_000) * 1000})
    assert bench.run(Script(soon, END))[0].status == COMPLETED
    second = Bench(bench.folder / "second")
    result, _ = second.run(Script(late, END))
    assert result.error is not None
    assert result.error.ref == "run-limited"


def test_the_session_keeps_title_and_outcome(bench: Bench) -> None:
    token = "dapi" + "0123456789abcdef" * 2
    bench.run(Script(END), prompt=f"do  it\nwith {token}")
    store = SessionStore(bench.home)
    session = store.get("ses_1")
    store.close()
    assert session is not None
    assert session.title.startswith("do it with ")
    assert token not in session.title
    assert session.outcome == COMPLETED


def test_changed_files_are_named(bench: Bench) -> None:
    class Writer(Script):
        async def prompt(self, text: str) -> None:
            (bench.folder / "work" / "made.txt").write_text(text, encoding="utf-8")

    result, _ = bench.run(Writer(END))
    assert result.changed_files == ("made.txt",)


def test_rules_of_a_wrong_form_stop_before_anything_starts(bench: Bench) -> None:
    with pytest.raises(PermissionRuleInvalid):
        bench.run(Script(END), allow=("nonsense",))


class Deaf(Script):
    """A driver that misses the first cancellation, as `wait_for` of Python 3.11 does under a flood of events."""

    async def events(self) -> AsyncIterator[Event]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.done.append("missed")
        while True:
            await asyncio.sleep(0.01)
            yield Event(kind=MESSAGE, text="more ")


def test_a_turn_that_misses_its_cancellation_is_cancelled_again(bench: Bench) -> None:
    script = Deaf()
    result, _ = bench.run(script, timeout_s=0.2)
    assert result.status == TIMEOUT
    assert script.done == ["prompt do it", "missed", "cancel", "close", "end"]
