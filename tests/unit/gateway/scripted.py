"""A scripted upstream: a raw HTTP server that answers as told, and the upstream object that points at it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from moor.domain.credential import Credential
from moor.domain.dialects import (
    COUNT_TOKENS,
    DIALECTS,
    OPENAI_CHAT,
)
from moor.domain.models import Catalogue, Model, Price, Target
from moor.domain.session import Session
from moor.errors import MoorError
from moor.errors.auth import SignInNeeded
from moor.errors.upstream import NoRouteError
from moor.secrets import Secret

TOKEN = "dapi00000000000000000000000000000001"
PRICE = Price(3_000_000_000, 15_000_000_000, 300_000_000, 3_750_000_000, "table", "2026-11-01")


class Tokens:
    """A credential source with a list of tokens; `obtain(dead)` moves on to the next, or fails."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens) or [TOKEN]
        self.at = 0
        self.obtained: list[str] = []
        self.error: MoorError | None = None
        self.ready = True
        self.delay_s = 0.0
        self.is_spare = False
        """what is in memory is due, and lives"""

    def current(self) -> Credential | None:
        """The token in memory."""
        return self._make() if self.ready else None

    def spare(self) -> Credential | None:
        """The token that is due."""
        return self._make() if self.is_spare else None

    def obtain(self, dead: Credential | None = None) -> Credential:
        """The next token where the current one is dead."""
        import time

        time.sleep(self.delay_s)
        self.obtained.append(dead.generation if dead else "")
        if self.error is not None:
            raise self.error
        if dead is not None:
            if self.at + 1 >= len(self.tokens):
                raise SignInNeeded("test", "the session has ended")
            self.at += 1
        self.ready = True
        return self._make()

    def finish(self, within_s: float = 0.0) -> bool:
        """Nothing of it can be lost."""
        return True

    def _make(self) -> Credential:
        return Credential(Secret(self.tokens[self.at]), generation=str(self.at))


class ScriptedUpstream:
    """An upstream whose targets are a scripted server on loopback."""

    kind = "scripted"

    def __init__(self, port: int, tokens: Tokens, quirks: frozenset[str], tls: ssl.SSLContext | None = None) -> None:
        self.name = "test"
        self.quirks = quirks
        self.port = port
        self.host = "localhost" if tls else "127.0.0.1"
        self.tokens = tokens
        self.tls = tls
        self.models = (
            Model(id="m-1", family="claude", dialects=DIALECTS, price=PRICE, context=200_000, max_output=25_000),
            Model(id="m-2", family="gemini", dialects=DIALECTS, price=PRICE),
            Model(id="secret-model", family="gpt", dialects=DIALECTS, price=PRICE),
            Model(id="free-model", family="gpt", dialects=(OPENAI_CHAT,)),
        )
        self.no_count = False

    def prepare(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""

    def catalogue(self) -> Catalogue:
        """The models."""
        return Catalogue(upstream=self.name, models=self.models)

    def refresh_catalogue(self) -> Catalogue:
        """The same models."""
        return self.catalogue()

    def target(self, dialect: str, model: Model, action: str) -> Target:
        """A path per dialect that shows what was asked."""
        if dialect not in model.dialects or (action == COUNT_TOKENS and self.no_count):
            raise NoRouteError(self.name, dialect, model.id, model.dialects)
        return Target(
            scheme="https" if self.tls else "http",
            host=self.host,
            port=self.port,
            path=f"/up/{dialect}/{action}",
            headers=(("x-static", "yes"),),
        )

    def credential(self) -> Tokens:
        """The scripted tokens."""
        return self.tokens

    def is_dead_credential(self, status: int, body: bytes) -> bool:
        """Two of the recorded forms."""
        return status in (401, 403) and (b"Invalid access token" in body or b"expired" in body)

    def call_headers(self, session: Session) -> tuple[tuple[str, str], ...]:
        """A product token."""
        return (("User-Agent", f"moor/0 {session.traits.user_agent}"),)

    def ssl_context(self) -> ssl.SSLContext | None:
        """The client's context."""
        return self.tls


class Seen(msgspec.Struct):
    """One request as the scripted server got it."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Handler = Callable[["Talk", Seen], Awaitable[None]]


class Talk:
    """What a handler answers with: raw bytes on the connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def json(self, value: Any, status: int = 200, extra: str = "") -> None:
        """A whole JSON answer."""
        body = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
        await self.raw(head.encode() + body)

    async def stream(self, events: list[bytes], *, end: bool = True, pause_s: float = 0.0) -> None:
        """Server-sent events, one chunk each."""
        await self.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in events:
            await self.raw(b"%x\r\n%s\r\n" % (len(event), event))
            if pause_s:
                await asyncio.sleep(pause_s)
        if end:
            await self.raw(b"0\r\n\r\n")

    def drop(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()


class ScriptedServer:
    """A raw HTTP server that answers as it is told; requests are kept in `seen`."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.handler: Handler = answer_anthropic
        self.connections = 0
        self.open = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                seen = Seen(line, headers, body)
                self.seen.append(seen)
                await self.handler(Talk(reader, writer), seen)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2},
}


async def answer_anthropic(talk: Talk, seen: Seen) -> None:
    """A whole message, or a small stream where one was asked for."""
    if b'"stream":true' in seen.body:
        await talk.stream(anthropic_events("hi"))
    else:
        await talk.json(ANSWER)


def anthropic_events(*texts: str) -> list[bytes]:
    """A streamed message: 10 tokens in, as many out as there are texts."""

    def event(kind: str, **data: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

    deltas = [event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts]
    return [
        event("message_start", message={"usage": {"input_tokens": 10, "output_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *deltas,
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": len(texts)}),
        event("message_stop"),
    ]
