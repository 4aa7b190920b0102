"""The simulated workspace as a server: one or two listeners on loopback, one state."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl

from moor.clock import Clock
from moor.errors.sim import SimNotStarted
from moor.sim.config import SimConfig
from moor.sim.connection import Connection
from moor.sim.control.api import PREFIX, control
from moor.sim.faults import Fault
from moor.sim.messages import Answer, Reply, Request
from moor.sim.records import Seen
from moor.sim.routes import place_on_gateway, respond
from moor.sim.state import SimState

_BACKLOG = 1024


class _FrontDesk:
    """Answers the requests of one listener."""

    def __init__(self, state: SimState, *, gateway_port: bool) -> None:
        self._state = state
        self._gateway_port = gateway_port

    def open(self, request: Request) -> Seen | None:
        """The log's entry; None for the control API."""
        if request.path.startswith(PREFIX):
            return None
        place_on_gateway(request, gateway_port=self._gateway_port)
        return self._state.log.open(request, self._state.clock.now())

    async def respond(self, request: Request, seen: Seen | None) -> tuple[Reply, Fault | None]:
        """The reply and its fault."""
        if seen is None:
            return await control(self._state, request), None
        self._state.calls += 1
        reply, fault = await respond(self._state, request, seen)
        seen.status = reply.status
        if isinstance(reply, Answer):
            reply.headers = (*reply.headers, ("x-databricks-org-id", self._state.workspace_id))
        return reply, fault


class SimServer:
    """Owns the listeners and every connection. Start and close it on one event loop."""

    def __init__(self, config: SimConfig, clock: Clock | None = None) -> None:
        self.config = config
        self.state = SimState(config, clock)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Base URL of the workspace, known after `start`."""
        return self.state.url

    async def start(self) -> None:
        """Bind and serve. Raises SimNotStarted; also for an address that is not loopback."""
        if not _is_loopback(self.config.host):
            raise SimNotStarted(self.config.host, "the control API has no password, so only loopback is allowed")
        tls = self._tls()
        self.state.url = await self._listen(self.config.port, tls, gateway_port=False)
        self.state.tokens.issuer = f"{self.state.url}/oidc"
        if self.config.gateway_host:
            self.state.gateway_url = await self._listen(self.config.gateway_port, tls, gateway_port=True)

    async def _listen(self, port: int, tls: ssl.SSLContext | None, *, gateway_port: bool) -> str:
        desk = _FrontDesk(self.state, gateway_port=gateway_port)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(Connection(reader, writer, desk, self.config.max_body_bytes))

        try:
            server = await asyncio.start_server(connected, self.config.host, port, ssl=tls, backlog=_BACKLOG)
        except OSError as problem:
            await self.close()
            raise SimNotStarted(f"{self.config.host}:{port}", problem.strerror or str(problem)) from problem
        self._servers.append(server)
        bound = server.sockets[0].getsockname()[1]
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"{'https' if tls else 'http'}://{host}:{bound}"

    def _tls(self) -> ssl.SSLContext | None:
        if not self.config.tls_cert:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.config.tls_cert, self.config.tls_key or None)
        except (OSError, ssl.SSLError) as problem:
            raise SimNotStarted(self.config.tls_cert, str(problem)) from problem
        return context

    async def _serve(self, connection: Connection) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await connection.serve()

    async def close(self) -> None:
        """Stop listening and drop every connection; returns within a second. May be called twice."""
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        self._servers.clear()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
