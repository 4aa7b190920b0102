"""The process of `opencode serve`: started in a session of its own, its words drained, ended within bounds."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import re
import secrets
import signal
import socket
from typing import Final

from moor.agents.opencode.client import Client
from moor.agents.opencode.release import ID
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentStartFailed
from moor.run import proc
from moor.secrets import redact

START_TIMEOUT_S: Final = 60.0
_LISTENING: Final = re.compile(r"listening on http://[^:/\s]+:(\d+)")
_KEPT_LINES: Final = 40


class Server:
    """One running server; `close` is the only way to get rid of it."""

    def __init__(self, process: asyncio.subprocess.Process, password: str) -> None:
        self._process = process
        self._password = password
        self._start = proc.start_time(process.pid) or 0.0
        self._lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._drain())
        self.client = Client(0, password)

    @classmethod
    async def start(cls, plan: LaunchPlan) -> Server:
        """A server that answers. Raises AgentStartFailed within 60 s; nothing is left running then."""
        password = secrets.token_urlsafe(32)
        env = {**plan.env, "OPENCODE_SERVER_PASSWORD": password}
        try:
            process = await asyncio.create_subprocess_exec(
                *plan.argv,
                "--port",
                str(_free_port()),
                cwd=plan.cwd,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                limit=1 << 20,
            )
        except OSError as error:
            problem = error.strerror or str(error)
            raise AgentStartFailed(agent=ID, problem=problem, context=plan.argv[0]) from error
        server = cls(process, password)
        try:
            await server._listening()
        except BaseException:
            await server.close()
            raise
        return server

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    @property
    def last_words(self) -> str:
        """The last lines it printed, without secrets."""
        return redact("\n".join(self._lines).replace(self._password, "…"))

    async def ended(self) -> None:
        """Returns when the process is gone."""
        await self._process.wait()

    async def close(self) -> None:
        """Dispose (that stops tool commands), TERM, KILL; at most 4.5 s, idempotent.

        TERM alone leaves running tool commands behind (facts/opencode 19).
        """
        if self.alive and self._port.done() and not self._port.cancelled():
            with contextlib.suppress(AgentGone):
                await self.client.request("POST", "/global/dispose", {}, timeout_s=2.0)
        await self._stop(signal.SIGTERM, 1.0)
        await self._stop(signal.SIGKILL, 1.0)
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        self._port.cancel()

    async def _stop(self, number: signal.Signals, wait_s: float) -> None:
        if self.alive:
            proc.send(self._process.pid, self._start, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), wait_s)

    async def _listening(self) -> None:
        ended = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({ended, self._port}, timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if self._port.done():
            self.client = Client(self._port.result(), self._password)
            return
        if not self.alive:
            await asyncio.sleep(0.05)  # its last lines
            problem = f"it ended with code {self._process.returncode}"
            raise AgentStartFailed(agent=ID, problem=problem, context=self.last_words)
        problem = f"it does not listen after {START_TIMEOUT_S:.0f} s"
        raise AgentStartFailed(agent=ID, problem=problem, context=self.last_words)

    async def _drain(self) -> None:
        """Reads its output for as long as it lives: a full pipe would stop it."""
        stream = self._process.stdout
        while stream is not None and (line := await _line(stream)) is not None:
            self._lines.append(line)
            found = _LISTENING.search(line)
            if found and not self._port.done():
                self._port.set_result(int(found.group(1)))


async def _line(stream: asyncio.StreamReader) -> str | None:
    try:
        data = await stream.readline()
    except ValueError:  # a line above the limit was dropped
        return ""
    return data.decode("utf-8", "replace").rstrip() if data else None


def _free_port() -> int:
    """A port that is free now; OpenCode's own choice would be 4096 first (facts/opencode 12.3)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
