"""A session without a terminal: the same gateway beside this process, ended by it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from moor.agents.base import LaunchContext
from moor.clock import SystemClock
from moor.domain.plan import LaunchPlan
from moor.domain.session import Session
from moor.launch.files import write_files
from moor.launch.gateway import bind_loopback, start_gateway
from moor.launch.lost import end_without_gateway
from moor.launch.once import run_once
from moor.launch.prepare import Prepared
from moor.run import proc
from moor.store.sessions import SessionStore

SERVER = "server"


class Live:
    """A running gateway and the plan of the agent to start on it."""

    def __init__(self, prepared: Prepared, context: LaunchContext, plan: LaunchPlan, gateway_pid: int) -> None:
        self.prepared = prepared
        self.context = context
        self.plan = plan
        self.gateway_pid = gateway_pid
        self._start = proc.start_time(gateway_pid) or 0.0
        self._ended = False

    @property
    def session(self) -> Session:
        """The session as it stands in the store."""
        return self.prepared.session

    @property
    def gateway_alive(self) -> bool:
        """Whether the gateway still runs; a run whose gateway is gone must end."""
        return proc.alive(self.gateway_pid, self._start)

    async def end(self) -> None:
        """Stop the gateway, which sweeps what the agent left and settles the ledger. Bounded by 8 s, idempotent.

        One that has removed the session's folder has done so: it may stay to carry the renewal of a sign-in to its
        end, which a kill would lose.
        """
        if self._ended:
            return
        self._ended = True
        told = proc.send(self.gateway_pid, self._start, signal.SIGTERM)
        if not (told and await self._done(6.0)):
            proc.send(self.gateway_pid, self._start, signal.SIGKILL)
            await self._done(1.0)
        if self._folder.exists():
            await asyncio.to_thread(self._end_without_gateway)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.gateway_pid, os.WNOHANG)  # noqa: ASYNC222 - WNOHANG does not wait

    def _end_without_gateway(self) -> None:
        """It was killed, hangs, or was told to stop before it listened: removing the folder is the last it does.

        Nobody else would sweep and say that the session has ended.
        """
        store = SessionStore(self.prepared.home)
        try:
            end_without_gateway(self.prepared.home, store, self.session, SystemClock())
        finally:
            store.close()

    @property
    def _folder(self) -> Path:
        return self.prepared.home.sessions_dir / self.session.id

    async def _done(self, within_s: float) -> bool:
        for _ in range(int(within_s / 0.02)):
            if not self.gateway_alive or not self._folder.exists():
                return True
            await asyncio.sleep(0.02)
        return False


@contextlib.asynccontextmanager
async def headless_session(prepared: Prepared) -> AsyncIterator[Live]:
    """Start the gateway, write the agent's private files, yield, and leave nothing behind."""
    listener, url = bind_loopback()
    context, plan = prepared.plan(url, SERVER)
    live = Live(prepared, context, plan, start_gateway(prepared, listener, url))
    listener.close()
    try:
        write_files(plan, context.session_home)
        await asyncio.to_thread(run_once, plan, prepared.agent.id)
        yield live
    finally:
        await live.end()
