"""One connection to an upstream: sends a request, reads the answer's framing, hands its content on.

The content is handed on per read, not per chunk: what came in one read leaves in one write.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, cast

import httptools

if TYPE_CHECKING:
    from moor.gateway.limits import Limits
    from moor.gateway.pool import Pool
    from moor.wire.strictness import Headers

_JOIN_BELOW: Final = 64 * 1024
_SLICE: Final = 64 * 1024
"""bytes of a body that TLS is handed at a time: it keeps a copy of its own of all that it has not written yet"""
_MAX_HEADERS: Final = 256
_FRAMING: Final = (b"content-length", b"transfer-encoding")


class Listener(Protocol):
    """Who hears the answer."""

    def answer_head(self, status: int, headers: Headers) -> None:
        """Status and headers of the final answer."""
        ...

    def answer_data(self, pieces: list[bytes], *, ended: bool) -> None:
        """Content of one read; `ended` with the last one. Comes after the head in the same read too."""
        ...

    def answer_lost(self, reason: str, *, untouched: bool) -> None:
        """The connection broke; `untouched`: before any byte of an answer."""
        ...


class Outbound:
    """An asyncio.Protocol by its methods, as `Inbound` is.

    States: idle (no listener), waiting (listener, no byte yet), answering; gone.
    """

    def __init__(self, pool: Pool, key: tuple[str, str, int], limits: Limits) -> None:
        self.key = key
        self.reused = False
        self.idle_since = 0.0
        self._pool = pool
        self._limits = limits
        self._max_head = limits.max_answer_head
        self._transport: asyncio.Transport | None = None
        self._listener: Listener | None = None
        self._unwanted = False
        self._unsent: memoryview | None = None
        """the rest of a body that TLS has not been handed"""
        self._full = False
        self._pieces: list[bytes] = []
        # a flood comes in hundreds of chunks a read: the parser appends them itself
        self.on_body = self._pieces.append
        self._parser = httptools.HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self._touched = False
        self._status = 0
        self._headers: Headers = []
        self._head_size = 0
        self._head_done = False
        self._head_told = False
        self._framed = False
        """its head says where it ends"""
        self._until_close = False
        self._pieces.clear()
        self._ended = False
        self._keep = False
        self._fault = ""

    # what the exchange asks

    @property
    def usable(self) -> bool:
        """Open and free."""
        return self._transport is not None and not self._transport.is_closing() and self._listener is None

    def send(self, listener: Listener, head: bytes, body: bytes) -> None:
        """Send a request; the answer goes to the listener."""
        transport = self._transport
        if transport is None or transport.is_closing():
            listener.answer_lost("the connection was closed", untouched=True)
            return
        self._reset()
        self._listener = listener
        if len(body) < _JOIN_BELOW:
            transport.write(head + body)
        elif self.key[0] != "https":
            transport.write(head)
            transport.write(body)
        else:
            transport.write(head)
            self._unsent = memoryview(body)
            self._send_on()

    def _send_on(self) -> None:
        """Hand TLS of the body what it takes now."""
        while self._unsent is not None and not self._full:
            piece, rest = self._unsent[:_SLICE], self._unsent[_SLICE:]
            self._unsent = rest if len(rest) else None
            if self._transport is None or self._transport.is_closing():
                return
            self._transport.write(piece)

    def pause_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self._full = True

    def resume_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self._full = False
        self._send_on()

    def pause_reading(self) -> None:
        """The agent takes no more for now."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The agent takes again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close now; nothing is told to anyone."""
        self._unwanted = True
        self._listener = None
        self._unsent = None
        self._pool.forget(self)  # now: of a cancelled attempt uvloop never tells that its connection was lost
        if self._transport is not None:
            self._transport.abort()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        if self.key[0] == "https":
            self._transport.set_write_buffer_limits(high=_SLICE)
        if self._unwanted:
            self._transport.abort()  # uvloop connects on although the attempt was cancelled
        else:
            self._pool.register(self)

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        if self._listener is None:
            self.abort()  # nobody asked: an answer that does not belong to a request
            return
        self._touched = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fault = self._fault or f"its answer is not HTTP ({type(error).__name__})"
        except httptools.HttpParserUpgrade:
            self._fault = "it switched to another protocol"
        self._deliver()

    def _deliver(self) -> None:
        listener = self._listener
        if listener is None:
            return
        if self._fault and not self._ended:
            self._lose(self._fault)
            return
        if not self._head_done:
            return
        if not self._head_told:
            self._head_told = True
            listener.answer_head(self._status, self._headers)
            if self._listener is not listener:
                return  # it gave the connection up
        pieces, ended = self._pieces.copy(), self._ended
        if not pieces and not ended:
            return
        self._pieces.clear()
        if ended:
            self._listener = None
            if self._keep and not self._fault and self._unsent is None:
                self._pool.give_back(self)
            elif self._transport is not None:
                self._transport.abort()
        listener.answer_data(pieces, ended=ended)

    def _lose(self, reason: str) -> None:
        listener, self._listener = self._listener, None
        self._unsent = None
        untouched = not self._touched
        if self._transport is not None:
            self._transport.abort()
        if listener is not None:
            listener.answer_lost(reason, untouched=untouched)

    def eof_received(self) -> bool:
        """Part of asyncio.Protocol: the end of an answer that says no length."""
        if self._listener is not None and self._head_done and self._until_close and not self._ended:
            self._ended = True
            self._keep = False
            self._deliver()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        self._pool.forget(self)
        self._transport = None
        self._unsent = None
        if self._listener is not None:
            self.eof_received()
        if self._listener is not None:
            self._lose("it broke the connection" if exc is not None else "it closed the connection")

    # httptools

    def on_message_begin(self) -> None:
        """Called by the parser; a second answer to one request is a fault."""
        if self._ended:
            self._fault = "it answered twice"
        self._status = 0
        self._headers = []
        self._framed = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser. Trailers are read and dropped."""
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self._max_head or len(self._headers) >= _MAX_HEADERS:
            self._fault = "its headers are too large"
        elif not self._head_done:
            low = name.lower()
            self._headers.append((low, value))
            if low in _FRAMING:
                self._framed = True

    def on_headers_complete(self) -> None:
        """Called by the parser, for 1xx answers too: they are heads of their own and are skipped."""
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                self._fault = "it switched to another protocol"
            return
        self._status = status
        self._head_done = True
        self._until_close = not self._framed and status not in (204, 304)

    def on_message_complete(self) -> None:
        """Called by the parser, also after each 1xx."""
        if self._head_done:
            self._ended = True
            self._keep = self._parser.should_keep_alive()
