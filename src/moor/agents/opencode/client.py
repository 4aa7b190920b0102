"""A small HTTP client for the agent's own server on loopback: one connection a request, JSON both ways.

Written on h11 and asyncio streams, because no HTTP library with an event loop is among our dependencies.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import h11
import msgspec

from moor.agents.opencode.release import ID
from moor.errors.agent import AgentGone, AgentProtocolError

USER: Final = "opencode"
_MAX_BODY: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024


class Answer(msgspec.Struct, frozen=True):
    """Status and body of one request."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises AgentProtocolError."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise AgentProtocolError(agent=ID, what="a request", context=f"status {self.status}: {error}") from error


class Client:
    """Requests to `127.0.0.1:port` with the server's password."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        token = base64.b64encode(f"{USER}:{password}".encode()).decode()
        self._headers = [("Host", f"127.0.0.1:{port}"), ("Authorization", f"Basic {token}")]

    async def request(self, method: str, path: str, body: Any = None, timeout_s: float = 30.0) -> Answer:
        """One request; raises AgentGone when the server does not answer in time or at all."""
        try:
            async with asyncio.timeout(timeout_s), self._sent(method, path, body) as (connection, reader):
                status = await _status(connection, reader)
                return Answer(status, await _whole(connection, reader))
        except (OSError, TimeoutError, EOFError, h11.ProtocolError) as error:
            raise AgentGone(agent=ID, context=f"{method} {path}: {error or 'no answer in time'}") from error

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of an answer that has no end; returns when the server closes it. Raises AgentGone."""
        try:
            async with self._sent("GET", path, None) as (connection, reader):
                status = await _status(connection, reader)
                if status != 200:
                    raise AgentGone(agent=ID, context=f"GET {path}: status {status}")
                while (data := await _part(connection, reader)) is not None:
                    yield data
        except (OSError, EOFError, h11.ProtocolError) as error:
            raise AgentGone(agent=ID, context=f"GET {path}: {error}") from error

    @asynccontextmanager
    async def _sent(
        self, method: str, path: str, body: Any
    ) -> AsyncIterator[tuple[h11.Connection, asyncio.StreamReader]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            connection = h11.Connection(h11.CLIENT)
            payload = b"" if body is None else msgspec.json.encode(body)
            headers = [*self._headers, ("Connection", "close"), ("Content-Length", str(len(payload)))]
            if body is not None:
                headers.append(("Content-Type", "application/json"))
            writer.write(connection.send(h11.Request(method=method, target=path, headers=headers)) or b"")
            if payload:
                writer.write(connection.send(h11.Data(data=payload)) or b"")
            connection.send(h11.EndOfMessage())
            await writer.drain()
            yield connection, reader
        finally:
            writer.close()


async def _status(connection: h11.Connection, reader: asyncio.StreamReader) -> int:
    event = await _next(connection, reader)
    while isinstance(event, h11.InformationalResponse):
        event = await _next(connection, reader)
    if not isinstance(event, h11.Response):
        raise EOFError("closed before it answered")
    return event.status_code


async def _whole(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    size = 0
    while (data := await _part(connection, reader)) is not None:
        parts.append(data)
        size += len(data)
        if size > _MAX_BODY:
            raise AgentProtocolError(agent=ID, what="a request", context=f"more than {_MAX_BODY} bytes")
    return b"".join(parts)


async def _part(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes | None:
    """The next bytes of the body; None at its end."""
    event = await _next(connection, reader)
    return bytes(event.data) if isinstance(event, h11.Data) else None


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Event:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
        raise EOFError("closed")
    return event
