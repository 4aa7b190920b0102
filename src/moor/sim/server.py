"""The simulated workspace as a server: one or two listeners on loopback, one state."""

from __future__ import annotations

import asyncio
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
_TURNS = 10


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
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

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

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._begin(Connection(reader, writer, desk, self.config.max_body_bytes), writer)

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

    def _begin(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection in a task of its own, until it ends or `close` is called."""
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._open[task] = writer
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        writer = self._open.pop(task)
        if task.cancelled():
            writer.transport.abort()
        else:
            writer.close()

    async def close(self) -> None:
        """Stop listening and drop every connection; returns within a second. May be called twice."""
        # asyncio 3.11 leaks a connection that is accepted in the turn before Server.close: stop accepting first.
        loop = asyncio.get_running_loop()
        for socket in [socket for server in self._servers for socket in server.sockets]:
            loop.remove_reader(socket.fileno())
        await _settle()
        for server in self._servers:
            server.close()
        self._servers.clear()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        await _settle()


async def _settle() -> None:
    """A few turns of the loop: connections that are being accepted or closed get to the end of it."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
