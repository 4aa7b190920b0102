"""One prompt, headless, to the end. It always ends: by the agent, by its time, by a stall, by the user, by a loss.

Order at the end, whatever happened: stop the turn, stop the agent, end the gateway (which settles the ledger), then
read what was used and what was changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from moor.clock import Clock, SystemClock
from moor.domain.event import ERROR, PERMISSION, QUESTION, STATUS, TOOL_CALL, TURN_END, Event
from moor.domain.models import NANO
from moor.domain.result import CANCELLED, COMPLETED, FAILED, TIMEOUT, AutoAnswer, RunError, RunResult
from moor.domain.session import WORKING, Session
from moor.drive.changes import Snapshot, changed, snapshot
from moor.drive.outcome import Ending, answered_instead, broken_end, last_failure, model_error
from moor.drive.permissions import PRESET_EDIT, Permissions, work_tree
from moor.errors.base import ExitCode, MoorError
from moor.errors.launch import GatewayLost
from moor.errors.run import RunLimited, RunStalled, RunTimedOut
from moor.errors.store import DiskFullError, disk_is_full
from moor.journal.writer import Journal
from moor.ledger.report import totals
from moor.secrets import redact
from moor.store.sessions import SessionStore
from moor.wire.numbers import as_meant

if TYPE_CHECKING:
    from moor.agents.base import Agent, Driver, LaunchContext
    from moor.domain.plan import LaunchPlan
    from moor.store.home import Home

DEFAULT_TIMEOUT_S: Final = 1800.0
STALL_S: Final = 900.0
"""longer than the longest tool command of an agent, shorter than a run"""
LONGEST_WAIT_S: Final = 120.0
"""an upstream that limits for longer ends the run"""
_TITLE_MAX: Final = 80
_WATCH_S: Final = 0.25
_LOOKS: Final = 8
"""the session's row is read for warnings at every eighth look"""
_END_S: Final = 0.5
"""a task that is still there after so long is cancelled once more"""

OnEvent = Callable[[Event], None]
OnDenied = Callable[[Event, str], None]
"""a permission and the rule that denied it"""


class Live(Protocol):
    """A session whose gateway runs (`moor.launch.headless`)."""

    context: LaunchContext
    plan: LaunchPlan

    @property
    def session(self) -> Session:
        """The session."""
        ...

    @property
    def gateway_alive(self) -> bool:
        """Whether its gateway still runs."""
        ...

    async def end(self) -> None:
        """Stop the gateway; bounded, idempotent."""
        ...


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run may go."""

    timeout_s: float = DEFAULT_TIMEOUT_S
    preset: str = PRESET_EDIT
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    stall_s: float = STALL_S


class HeadlessRun:
    """One run. `execute()` once; `stop()` from a signal handler; then `exit_code`."""

    def __init__(
        self,
        live: Live,
        agent: Agent,
        home: Home,
        options: RunOptions,
        on_event: OnEvent,
        clock: Clock | None = None,
        on_denied: OnDenied | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        context = live.context
        self._live = live
        self._home = home
        self._options = options
        self._on_event = on_event
        self._on_denied = on_denied
        self._on_warning = on_warning
        self._warned = ""
        self._clock = clock or SystemClock()
        self._driver: Driver = agent.driver(context)
        self._permissions = Permissions(
            live.session.cwd, context.environ, options.preset, options.allow, options.deny, _scratch(live)
        )
        self._stopped = asyncio.Event()
        self._journal: Journal | None = None
        self._answers: list[AutoAnswer] = []
        self._tools = 0
        self._text = ""
        self._said = ""
        self._disk_was_full = False
        self._heard = self._clock.monotonic()
        self.exit_code = ExitCode.OK

    def stop(self) -> None:
        """Cancel the run: it ends with status `cancelled` within seconds. Thread: the loop's own."""
        self._stopped.set()

    async def execute(self, prompt: str) -> RunResult:
        """The run's result; never raises a MoorError, but tells it in the result."""
        began = self._clock.monotonic()
        tree = work_tree(self._live.session.cwd)
        environ = self._live.context.environ
        looking = asyncio.create_task(asyncio.to_thread(snapshot, tree, environ))
        ending = await self._ending(prompt, looking)
        before = await looking
        await self._close()
        if ending is None and not self._said:
            session = self._live.session
            self._said = await asyncio.to_thread(broken_end, self._home, session.id, session.model)
        if ending is None and self._said:
            cause = await asyncio.to_thread(last_failure, self._home, self._live.session.id)
            ending = model_error(self._said, self._live.session.upstream, cause)
            if self._disk_was_full:
                ending = self._ended(DiskFullError(path=self._home.root), FAILED)
        result = await asyncio.to_thread(self._result, ending, before, self._clock.monotonic() - began)
        await self._record(outcome=result.status)
        return result

    async def _ending(self, prompt: str, looking: asyncio.Task[Snapshot]) -> Ending | None:
        """None when the turn came to its end; else why it did not."""
        try:
            self._journal = await asyncio.to_thread(Journal, self._home, self._live.session.id)
            title = redact(" ".join(prompt.split()))[:_TITLE_MAX]
            await self._record(status=WORKING, title=title)
            async with asyncio.timeout(self._options.timeout_s):
                return await self._watched(prompt, looking)
        except TimeoutError:
            return self._ended(RunTimedOut(after_s=self._options.timeout_s), TIMEOUT)
        except MoorError as error:
            return self._ended(error, FAILED)

    def _ended(self, error: MoorError, status: str) -> Ending:
        told = RunError(error.ref, error.message + (f" ({error.context})" if error.context else ""), error.hint)
        return Ending(status, told, error.exit_code)

    async def _watched(self, prompt: str, looking: asyncio.Task[Snapshot]) -> Ending | None:
        """The turn beside its watchers; whoever is done first decides."""
        turn = asyncio.create_task(self._turn(prompt, looking))
        stop = asyncio.create_task(self._stopped.wait())
        watch = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({turn, stop, watch}, return_when=asyncio.FIRST_COMPLETED)
            if turn.done():
                turn.result()
                return None
            if watch.done():
                watch.result()
            return Ending(CANCELLED, RunError("cancelled", "stopped by the user"), ExitCode.CANCELLED)
        finally:
            await _end({turn, stop, watch})

    async def _watch(self) -> None:
        """Raises GatewayLost or RunStalled."""
        for look in itertools.count(1):
            await asyncio.sleep(_WATCH_S)
            if look % _LOOKS == 0:
                await self._pass_warning_on()
            if not self._live.gateway_alive:
                raise GatewayLost(session=self._live.session.id, log=str(self._home.log_dir))
            if self._clock.monotonic() - self._heard > self._options.stall_s:
                raise RunStalled(after_s=self._options.stall_s)

    async def _pass_warning_on(self) -> None:
        """Tell while the work goes on how far a cap is used, not only at its end."""
        if self._on_warning is None:
            return
        with contextlib.suppress(MoorError):  # the end of the run reads it again
            warning = await asyncio.to_thread(self._warning)
            if warning and warning != self._warned:
                self._warned = warning
                self._on_warning(warning)

    async def _turn(self, prompt: str, looking: asyncio.Task[Snapshot]) -> None:
        await self._driver.start(self._live.plan)
        await asyncio.shield(looking)
        await self._driver.prompt(prompt)
        async for told in self._driver.events():
            event = _as_meant(told)
            self._heard = self._clock.monotonic()
            if self._journal is not None:
                self._journal.append(event, self._clock.now())
            self._on_event(event)
            await self._react(event)

    async def _react(self, event: Event) -> None:
        if event.kind == PERMISSION:
            await self._answer(event)
        elif event.kind == QUESTION:
            self._answers.append(AutoAnswer("question", event.title, "rejected", "nobody is there to answer"))
            await self._driver.answer(event.id, False)
        elif event.kind == TOOL_CALL:
            self._tools += 1
        elif event.kind == STATUS:
            self._check_wait(event)
        elif event.kind == ERROR:
            self._said = event.text
            # an agent whose state cannot be written has words of its own for it; the end of the run frees space
            self._disk_was_full = disk_is_full(self._home.db_path)
        elif event.kind == TURN_END:
            self._text = event.text

    async def _answer(self, event: Event) -> None:
        decision = self._permissions.decide(event)
        what = f"{event.name}: {event.title}" if event.title else event.name
        answer = "allowed" if decision.allow else "denied"
        self._answers.append(AutoAnswer("permission", what, answer, decision.rule))
        if not decision.allow and self._on_denied is not None:
            self._on_denied(event, decision.rule)
        await self._driver.answer(event.id, decision.allow, "" if decision.allow else decision.note)

    def _check_wait(self, event: Event) -> None:
        """An agent that waits for a limit to pass says until when, in milliseconds since the epoch."""
        until = event.data.get("next")
        if isinstance(until, int | float) and until:
            wait_s = until / 1000 - self._clock.now()
            if wait_s > LONGEST_WAIT_S:
                raise RunLimited(wait_s=wait_s, said=event.title)

    async def _close(self) -> None:
        """Turn, agent, gateway, journal, in this order; each is bounded by itself."""
        with contextlib.suppress(MoorError):
            await self._driver.cancel()
        await self._driver.close()
        await self._live.end()
        if self._journal is not None:
            await asyncio.to_thread(self._journal.close)

    async def _record(self, **changes: object) -> None:
        await asyncio.to_thread(self._update, changes)

    def _update(self, changes: dict[str, object]) -> None:
        store = SessionStore(self._home)
        try:
            store.update(self._live.session.id, **changes)
        finally:
            store.close()

    def _warning(self) -> str:
        """What the gateway warned of last."""
        store = SessionStore(self._home)
        try:
            session = store.get(self._live.session.id)
        finally:
            store.close()
        return session.warning if session is not None else ""

    def _result(self, ending: Ending | None, before: Snapshot, duration_s: float) -> RunResult:
        session = self._live.session
        environ = self._live.context.environ
        used = totals(self._home, session=session.id)
        self.exit_code = ending.exit_code if ending else ExitCode.OK
        return RunResult(
            status=ending.status if ending else COMPLETED,
            text=self._text,
            session=session.id,
            agent=session.agent,
            model=session.model,
            tokens=used.usage,
            cost_usd=None if used.cost_nano is None else used.cost_nano / NANO,
            instead=answered_instead(self._home, session.id),
            tool_calls=self._tools,
            changed_files=changed(before, snapshot(before.root, environ), environ),
            auto_answered=tuple(self._answers),
            duration_s=round(duration_s, 3),
            warning=self._warning(),
            error=ending.error if ending else None,
        )


def _as_meant(event: Event) -> Event:
    """The event with sentences of ours as they were meant: agents get them with signs that nobody sees."""
    text, title = as_meant(event.text), as_meant(event.title)
    if text == event.text and title == event.title:
        return event
    return msgspec.structs.replace(event, text=text, title=title)


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel until all are done: a task may miss one cancellation (`wait_for` of Python 3.11 swallows some)."""
    left = tasks
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_END_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def _scratch(live: Live) -> str:
    """The agent's folder for temporary files, where the launch gave it one of its own."""
    folder = live.plan.env.get("TMPDIR", "")
    return folder if folder.startswith(f"{live.context.session_home}/") else ""
