"""Drives an agent without a protocol: one process a prompt; what it prints is the answer, its exit code the verdict.

Where the description says that it asks (`asks`), its own hook asks at a socket of ours before it acts. Where it does
not, one permission stands for all that it may do: only the preset `full` gives it.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Final

from moor.agents.base import OTHER
from moor.agents.child import forgive_lost_input
from moor.agents.described.asking import VARIABLE, Asking
from moor.agents.described.plan import PROMPT_PLACE
from moor.domain.event import ERROR, MESSAGE, PERMISSION, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentAsksNobody, AgentGone, AgentStartFailed
from moor.secrets import redact

_PIECE: Final = 65_536
_MAX_WORDS: Final = 4_000
_MAX_ANSWER: Final = 1 << 20
"""characters of the answer that are kept; all of it is told as it comes"""
_PATIENCE_S: Final = 1.5
_LOOK_S: Final = 0.02
_LETS_LOOSE: Final = "lets-loose"


class PlainDriver:
    """One prompt after another, each in a process of its own."""

    def __init__(self, agent: str, *, asks: bool) -> None:
        self._agent = agent
        self._asks = asks
        self._plan: LaunchPlan | None = None
        self._prompt = ""
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._asking = Asking(self._queue)
        self._process: asyncio.subprocess.Process | None = None
        self._loose: bool | None = None
        self._note = ""
        self._cancelled = False

    async def start(self, plan: LaunchPlan) -> None:
        """Nothing runs before the first prompt; only the place to ask at is opened."""
        env = {**plan.env, VARIABLE: await self._asking.start()} if self._asks else plan.env
        self._plan = LaunchPlan(argv=plan.argv, env=env, cwd=plan.cwd)

    async def prompt(self, text: str) -> None:
        """The prompt of the next turn."""
        self._prompt, self._cancelled = text, False

    async def events(self) -> AsyncIterator[Event]:
        """Run it to its end. Raises AgentStartFailed, AgentAsksNobody."""
        if not self._asks:
            title = "everything it wants, without asking"
            data = {"access": OTHER, "patterns": [self._agent]}
            yield Event(kind=PERMISSION, id=_LETS_LOOSE, name=self._agent, title=title, data=data)
            if not self._loose:
                raise AgentAsksNobody(agent=self._agent, why=self._note or "it was denied")
        process = await self._started()
        turn = asyncio.create_task(self._followed(process))
        try:
            while not turn.done() or not self._queue.empty():
                if (event := await self._next(turn)) is not None:
                    yield event
            code, answer, words = turn.result()
        finally:
            turn.cancel()
        if code and not self._cancelled:
            said = redact(words or answer) or f"it ended with code {code}"
            yield Event(kind=ERROR, text=said, data={"code": code})
        status = "cancelled" if self._cancelled else "error" if code else "end_turn"
        yield Event(kind=TURN_END, status=status, text=answer)

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        """Answer a permission. One that is gone is no error."""
        if event_id == _LETS_LOOSE:
            self._loose, self._note = allow, note
        else:
            self._asking.answer(event_id, allow, note)

    async def cancel(self) -> None:
        """End the running process; returns within 4 s."""
        if self._process is not None and self._process.returncode is None:
            self._cancelled = True
            await self._end()

    async def close(self) -> None:
        """End the process and the asking; returns within 4 s; idempotent. The gateway's sweep ends its tools."""
        await self._end()
        self._asking.close()
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._process.wait()
            # a tool that holds its output open would keep the pipes of a process that is gone
            getattr(self._process, "_transport").close()  # noqa: B009

    async def _started(self) -> asyncio.subprocess.Process:
        if self._plan is None:
            raise AgentGone(agent=self._agent, context="it was not started")
        argv = [part.replace(PROMPT_PLACE, self._prompt) for part in self._plan.argv]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self._plan.cwd,
                env=self._plan.env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            raise AgentStartFailed(agent=self._agent, problem=problem, context=argv[0]) from error
        forgive_lost_input(self._process)
        return self._process

    async def _next(self, turn: asyncio.Task[tuple[int, str, str]]) -> Event | None:
        """The next event; None when there is none and the process has ended."""
        waiting = asyncio.create_task(self._queue.get())
        await asyncio.wait([waiting, turn], return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        return None

    async def _followed(self, process: asyncio.subprocess.Process) -> tuple[int, str, str]:
        """Exit code, answer and last words. What it started may hold its output open: that is not waited for."""
        answer, words = _Kept(_MAX_ANSWER), _Kept(_MAX_WORDS)
        reading = [
            asyncio.create_task(_read(process.stdout, answer, self._queue)),
            asyncio.create_task(_read(process.stderr, words, None)),
        ]
        try:
            await self._tell(process)
            code = await _ended(process)
            await asyncio.wait(reading, timeout=_PATIENCE_S)
        finally:
            for task in reading:
                task.cancel()
        return code, answer.text.strip(), words.text.strip()

    async def _tell(self, process: asyncio.subprocess.Process) -> None:
        """The prompt on its input, where its arguments do not hold it; then the end of input."""
        assert process.stdin is not None
        if self._plan is not None and not any(PROMPT_PLACE in part for part in self._plan.argv):
            with contextlib.suppress(ConnectionError):
                process.stdin.write(self._prompt.encode())
                await process.stdin.drain()
        process.stdin.close()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            if process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PATIENCE_S):
                        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Its exit code. `Process.wait` would also wait for whoever holds its output open (Python 3.11)."""
    while process.returncode is None:  # noqa: ASYNC110 - nothing else tells us
        await asyncio.sleep(_LOOK_S)
    return process.returncode


class _Kept:
    """The end of a text that grows."""

    def __init__(self, limit: int) -> None:
        self.text = ""
        self._limit = limit

    def add(self, text: str) -> None:
        self.text = (self.text + text)[-self._limit :]


async def _read(stream: asyncio.StreamReader | None, kept: _Kept, queue: asyncio.Queue[Event] | None) -> None:
    """Keeps what comes; tells it as it comes where there is a queue."""
    assert stream is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := await stream.read(_PIECE):
        kept.add(text := decoder.decode(data))
        if queue is not None and text:
            queue.put_nowait(Event(kind=MESSAGE, text=text))
