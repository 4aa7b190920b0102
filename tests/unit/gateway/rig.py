"""A gateway on a real socket, a scripted upstream on another, and a strict client (h11) between tests and them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import h11
import msgspec

from moor.clock import Clock, SystemClock
from moor.domain.call import Call
from moor.domain.dialects import (
    ANTHROPIC_MESSAGES,
    GEMINI_GENERATE,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
)
from moor.domain.session import AgentTraits, Session
from moor.gateway.limits import Limits, Patience
from moor.gateway.metrics import Metrics
from moor.gateway.payloads import PayloadLog
from moor.gateway.ports import SessionKeys
from moor.gateway.purse import Bank
from moor.gateway.rates import Rates
from moor.gateway.server import Gateway
from moor.gateway.tuning import loop_factory
from moor.secrets import key_hash
from moor.store.learned import LearnedRules
from tests.unit.gateway.bank import MemoryBank
from tests.unit.gateway.scripted import (
    Handler,
    ScriptedServer,
    ScriptedUpstream,
    Tokens,
)

KEY = "moor-test-key-abcdefghijklmnopqrstuvwxyz"

PATHS = {
    ANTHROPIC_MESSAGES: "/anthropic/v1/messages",
    OPENAI_CHAT: "/openai/v1/chat/completions",
    OPENAI_RESPONSES: "/openai/v1/responses",
    GEMINI_GENERATE: "/gemini/v1beta/models/m-1:generateContent",
}
STREAM_PATHS = {**PATHS, GEMINI_GENERATE: "/gemini/v1beta/models/m-1:streamGenerateContent?alt=sse"}


class Rows:
    """A ledger that keeps its rows in a list."""

    def __init__(self) -> None:
        self.rows: list[Call] = []
        self.healthy = True

    def put(self, call: Call) -> None:
        """Keep the row."""
        self.rows.append(call)


class Answer(msgspec.Struct):
    """What a strict client got."""

    status: int
    headers: dict[str, str]
    body: bytes
    broken: str = ""
    """why the answer is not whole"""

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Client:
    """One connection to the gateway, read by h11."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self) -> Client:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> None:
        """Send one request with a valid key unless the headers say otherwise."""
        raw = (
            body
            if isinstance(body, bytes)
            else b""
            if body is None
            else json.dumps(body, separators=(",", ":")).encode()
        )
        given = {"host": f"127.0.0.1:{self._port}", "authorization": f"Bearer {KEY}", **(headers or {})}
        given = {name: value for name, value in given.items() if value is not None}
        if method == "POST" and "transfer-encoding" not in given:
            given.setdefault("content-length", str(len(raw)))
        data = self._h11.send(h11.Request(method=method, target=path, headers=list(given.items())))
        data += self._h11.send(h11.Data(data=raw)) if raw else b""
        data += self._h11.send(h11.EndOfMessage())
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> Answer:
        """The whole answer, or as much as came with the reason."""
        status, headers, body = 0, {}, b""
        while True:
            try:
                event = self._h11.next_event()
                if event is h11.NEED_DATA:
                    self._h11.receive_data(await self.reader.read(65536))
                elif isinstance(event, h11.Response):
                    status = event.status_code
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif isinstance(event, h11.ConnectionClosed):
                    return Answer(status, headers, body, "closed")
            except (h11.RemoteProtocolError, ConnectionError) as error:
                return Answer(status, headers, body, str(error) or "broken")
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        return Answer(status, headers, body)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:
        """Send and receive."""
        await self.send(method, path, headers, body)
        return await self.receive()

    def close(self) -> None:
        """Leave at once."""
        self.writer.transport.abort()


class Rig:
    """Gateway, scripted upstream, ledger and session of one test."""

    def __init__(self, gateway: Gateway, server: ScriptedServer, upstream: ScriptedUpstream, port: int) -> None:
        self.gateway = gateway
        self.server = server
        self.upstream = upstream
        self.tokens = upstream.tokens
        self.port = port
        self.keys: SessionKeys
        self.ledger: Rows
        self.session: Session
        self.backup: ScriptedUpstream
        """the second upstream, where there is one"""

    async def client(self) -> Client:
        """A fresh connection."""
        return await Client(self.port).open()

    async def ask(self, path: str, body: Any = None, method: str = "POST", **headers: Any) -> Answer:
        """One request on a connection of its own; `_` in header names stands for `-`."""
        client = await self.client()
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.ask(method, path, given, body)
        finally:
            client.close()

    async def message(self, **fields: Any) -> Answer:
        """One Anthropic call."""
        return await self.ask("/anthropic/v1/messages", {"model": "m-1", "max_tokens": 10, "messages": [], **fields})

    async def raw(self, data: bytes, wait_s: float = 2.0) -> bytes:
        """Send bytes on a fresh connection and read until the gateway closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            return await asyncio.wait_for(reader.read(), wait_s)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def settled(self) -> None:
        """Wait until no connection is left and no body is held."""
        for _ in range(300):
            if not self.gateway.connections and not self.gateway.bodies.held:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.gateway.connections} connections, {self.gateway.bodies.held} bytes are left")

    async def rows(self, count: int = 1) -> list[Call]:
        """The ledger's rows, once there are that many."""
        for _ in range(200):
            if len(self.ledger.rows) >= count:
                break
            await asyncio.sleep(0.01)
        return self.ledger.rows


def make_session(**fields: Any) -> Session:
    """A session with the test's key."""
    given: dict[str, Any] = {
        "id": "ses_test",
        "agent": "tester",
        "cwd": "/",
        "upstream": "test",
        "model": "m-1",
        "key_hash": key_hash(KEY),
        "traits": AgentTraits(user_agent="tester/1", session_header="x-session-id", parent_header="x-parent-id"),
        **fields,
    }
    return Session(**given)


@asynccontextmanager
async def rig(
    *,
    limits: Limits | None = None,
    tokens: Tokens | None = None,
    quirks: frozenset[str] = frozenset(),
    session: Session | None = None,
    server_tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    environ: dict[str, str] | None = None,
    bank: Bank | None = None,
    metrics: Metrics | None = None,
    payloads: PayloadLog | None = None,
    learned: Callable[[str], LearnedRules] | None = None,
    alarm: Callable[[str], None] | None = None,
    rates: Callable[[str], Rates | None] | None = None,
    handler: Handler | None = None,
    clock: Clock | None = None,
    backup: bool = False,
) -> AsyncIterator[Rig]:
    """A running rig; everything is closed at the end. `backup`: with a second upstream of that name."""
    server = ScriptedServer()
    if handler is not None:
        server.handler = handler
    await server.start(server_tls)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    upstream = ScriptedUpstream(server.port, tokens or Tokens(), quirks, client_tls)
    upstreams = {"test": upstream}
    if backup:
        upstreams["backup"] = ScriptedUpstream(server.port, Tokens(), quirks, client_tls)
        upstreams["backup"].name = "backup"
    ledger, chosen = Rows(), session or make_session()
    keys = SessionKeys([chosen])
    gateway = Gateway(
        sockets=[listening],
        keys=keys,
        upstreams=upstreams,
        ledger=ledger,
        clock=clock or SystemClock(),
        limits=limits or Limits(tick_s=0.05, patience=Patience(first_pause_s=0.01)),
        environ=environ,
        bank=bank or MemoryBank(),
        metrics=metrics,
        payloads=payloads,
        learned=learned,
        alarm=alarm,
        rates=rates,
    )
    await gateway.start()
    made = Rig(gateway, server, upstream, port)
    if backup:
        made.backup = upstreams["backup"]
    made.keys, made.ledger, made.session = keys, ledger, chosen
    try:
        yield made
    finally:
        await gateway.close(0.2)
        await server.close()


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run one scenario on a loop of its own, bounded: uvloop as the product has it, and the standard one once."""

    async def bounded() -> Any:
        return await asyncio.wait_for(scenario, 30)

    with asyncio.Runner(loop_factory=None if os.environ.get("MOOR_INTERPRETED") else loop_factory()) as runner:
        return runner.run(bounded())
