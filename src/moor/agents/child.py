"""An agent's process that speaks lines of JSON: started apart, drained, ended within bounds."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import signal
from typing import Any, Final

import msgspec

from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed
from moor.run import proc
from moor.secrets import redact

MAX_LINE_BYTES: Final = 32 << 20
"""one event may carry a whole file"""
_KEPT_LINES: Final = 40
_MAX_KEPT: Final = 2_000
_WRITE_TIMEOUT_S: Final = 30.0
_LAST_WORDS_S: Final = 0.5
_encode = msgspec.json.Encoder().encode


def forgive_lost_input(process: asyncio.subprocess.Process) -> None:
    """Let a process end without having read all of its input: its end is the news.

    asyncio before 3.11.4 prints a traceback for the broken pipe unless somebody asks how the pipe was closed.
    """

    def asked(closed: asyncio.Task[None]) -> None:
        if not closed.cancelled():
            closed.exception()

    if process.stdin is not None:
        asyncio.create_task(process.stdin.wait_closed()).add_done_callback(asked)


class Child:
    """One process in a session of its own. `close` is the only way to get rid of it; not for two readers at once."""

    def __init__(self, agent: str, process: asyncio.subprocess.Process) -> None:
        self.agent = agent
        self._process = process
        self._start = proc.start_time(process.pid) or 0.0
        self._words: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._drain = asyncio.create_task(self._read_words())

    @classmethod
    async def start(cls, agent: str, plan: LaunchPlan) -> Child:
        """The started process. Raises AgentStartFailed when the program cannot be executed."""
        try:
            process = await asyncio.create_subprocess_exec(
                *plan.argv,
                cwd=plan.cwd,
                env=plan.env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=MAX_LINE_BYTES,
            )
        except OSError as error:
            raise AgentStartFailed(agent=agent, problem=error.strerror or str(error), context=plan.argv[0]) from error
        forgive_lost_input(process)
        return cls(agent, process)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    @property
    def returncode(self) -> int | None:
        """Its exit code once it has ended."""
        return self._process.returncode

    @property
    def last_words(self) -> str:
        """The last lines it printed beside the protocol, without secrets."""
        return redact("\n".join(self._words))

    async def send(self, message: Any) -> None:
        """One message. Raises AgentGone when it is gone or reads nothing for 30 s."""
        stream = self._process.stdin
        if stream is None or stream.is_closing() or not self.alive:
            await self._last_words_read()
            raise AgentGone(agent=self.agent, context=self.last_words)
        try:
            stream.write(_encode(message) + b"\n")
            async with asyncio.timeout(_WRITE_TIMEOUT_S):
                await stream.drain()
        except (ConnectionError, TimeoutError) as error:
            await self._last_words_read()
            raise AgentGone(agent=self.agent, context=self.last_words) from error

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when the process has closed its output. What is no JSON object is kept as a word.

        Raises AgentProtocolError for a line above 32 MiB.
        """
        stream = self._process.stdout
        assert stream is not None
        while True:
            try:
                line = await stream.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                line = error.partial
                if not line:
                    await self._last_words_read()
                    return None
            except asyncio.LimitOverrunError as error:
                raise AgentProtocolError(agent=self.agent, what="with a line above 32 MiB") from error
            if not line.strip():
                continue
            message = _object(line)
            if message is not None:
                return message
            self._keep(line)

    async def wait(self, within_s: float) -> bool:
        """Whether it ended within that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._process.wait()
                await self._last_words_read()
        return not self.alive

    async def close(self, patience_s: float = 1.0) -> None:
        """Close its input, TERM, KILL; at most `patience_s` + 2 s; idempotent.

        Its tools may live in sessions of their own: the gateway's sweep ends those.
        """
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.close()
        if not await self.wait(patience_s):
            for number in (signal.SIGTERM, signal.SIGKILL):
                self._signal_group(number)
                if await self.wait(1.0):
                    break
        self._signal_group(signal.SIGKILL)
        self._drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._drain

    def _signal_group(self, number: signal.Signals) -> None:
        """Launcher scripts start the real program as a child of theirs, in the same group."""
        import os

        if self.alive and proc.start_time(self._process.pid) != self._start:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read_words(self) -> None:
        """Reads its standard error for as long as it lives: a full pipe would stop it."""
        stream = self._process.stderr
        while stream is not None:
            data = await stream.read(65536)
            if not data:
                return
            for line in data.splitlines():
                self._keep(line)

    async def _last_words_read(self) -> None:
        """Wait for what it said last: its standard error may close a moment after its output. At most half a second;
        a child of its own can hold it open."""
        await asyncio.wait({self._drain}, timeout=_LAST_WORDS_S)

    def _keep(self, line: bytes) -> None:
        text = line[:_MAX_KEPT].decode("utf-8", "replace").rstrip()
        if text:
            self._words.append(text)


def _object(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None when it holds anything else."""
    try:
        message = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return message if isinstance(message, dict) else None
