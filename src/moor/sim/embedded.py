"""The simulator in a thread of its own, for tests and the demo."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from moor.clock import Clock
from moor.errors.base import MoorError
from moor.errors.sim import SimNotStarted
from moor.sim.config import SimConfig
from moor.sim.control.client import SimControl
from moor.sim.server import SimServer
from moor.sim.state import SimState

_START_S = 10.0


class EmbeddedSim:
    """`with EmbeddedSim(SimConfig()) as sim:` runs a server until the block ends; close waits two seconds at most."""

    def __init__(self, config: SimConfig | None = None, clock: Clock | None = None) -> None:
        self._server = SimServer(config or SimConfig(), clock)
        self._ready = threading.Event()
        self._problem: MoorError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="moor-sim", daemon=True)

    @property
    def url(self) -> str:
        """Base URL of the workspace."""
        return self._server.url

    @property
    def gateway_url(self) -> str:
        """Base URL of the older gateway-host form, or ""."""
        return self._server.state.gateway_url

    @property
    def state(self) -> SimState:
        """The server's state. It lives on another thread: read it, change it through `control`."""
        return self._server.state

    @property
    def control(self) -> SimControl:
        """A client of the control API."""
        return SimControl(self.url)

    def __enter__(self) -> EmbeddedSim:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Run the server. Raises SimNotStarted."""
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise SimNotStarted(self._server.config.host, f"not ready within {_START_S:g} s")
        if self._problem is not None:
            self._thread.join()
            raise self._problem

    def close(self) -> None:
        """Stop the server and its thread. May be called twice."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2.0)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._server.start()
        except MoorError as problem:
            self._problem = problem
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        await self._server.close()
