"""One connection of an agent: reads requests strictly, answers them in their order, notices when the agent leaves.

Reading goes on while a call runs, so that a closed connection cancels the call at once; requests that come
meanwhile wait (bounded by bytes). After a fault in the framing nothing further is read from the connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, cast

import httptools

from moor.gateway.admit import too_large
from moor.gateway.repeat import RepeatedHead, learn
from moor.gateway.request import Request
from moor.gateway.tries import LIMITED
from moor.wire import refusal as words
from moor.wire.heads import CONTINUE, header_lines, status_line
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from moor.gateway.exchange import Exchange
    from moor.gateway.exchange_ends import Ends
    from moor.gateway.server import Gateway
    from moor.wire.strictness import Headers

_DISCARD_BELOW: Final = 64 * 1024
"""a refused body up to this size is read and dropped, so that the connection can be kept"""
_AHEAD: Final = 256 * 1024
"""bytes that may come while a call runs"""
_REFUSED: Final[Headers] = [(b"content-type", b"application/json"), (b"x-should-retry", b"false")]


class Inbound:
    """An asyncio.Protocol by its methods, not by its base: compiled, it could have none that is not.

    States: idle, reading a head, reading a body, answering (an exchange runs), lingering, closed.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._desk = gateway.desk
        self._limits = gateway.limits
        self._monotonic: Callable[[], float] = gateway.clock.monotonic
        self._heads = gateway.heads
        self._check_key = gateway.doorkeeper.check_key
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpRequestParser | None = None  # made for the first head that is not known
        self._reading: Request | None = None
        self._admitted: Request | None = None
        self._repeated: RepeatedHead | None = None
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._exchange: Exchange | None = None
        self._head_size = 0
        self._head_done = False
        self._ahead = 0
        self._deaf = False
        self._linger_until: float | None = None
        self._stamp = self._monotonic()
        self._advancing = False

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        if not self._gateway.register(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        self._stamp = self._monotonic()
        if self._deaf:
            return
        between = self._reading is None and self._current is None
        if between and self._is_repeated(data):
            return
        request = self._reading
        if request is not None and self._head_done:
            request.raw_size += len(data)
        elif self._exchange is not None:
            self._ahead += len(data)
        if self._parse(data):
            self._check_sizes(len(data))
            if between and len(self._waiting) == 1 and self._waiting[0] is self._admitted:
                self._repeated = learn(data, self._admitted)
                if self._repeated is not None:
                    self._heads.add(self._repeated)
        self._advance()

    def _parse(self, data: bytes) -> bool:
        """Whether the data was no fault of framing."""
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._broken(400, "the request has an upgrade to another protocol")
            return False
        except httptools.HttpParserError as error:
            self._broken(*_parse_fault(error))
            return False
        return True

    def _is_repeated(self, data: bytes) -> bool:
        """Whether the data was a whole request whose head is known, here or from another connection; served then."""
        repeated = self._repeated
        if repeated is not None and self._take_repeated(repeated, data):
            return True
        known = self._heads.find(data)
        if known is not None and known is not repeated and self._take_repeated(known, data):
            self._repeated = known
            return True
        return False

    def _take_repeated(self, known: RepeatedHead, data: bytes) -> bool:
        """Serve a whole request with a head that is known byte for byte; the parser is not asked."""
        request = known.match(data, self._stamp)
        if request is None:
            return False
        request.refusal = self._check_key(request)
        if self._waiting or self._advancing or self._linger_until is not None:
            self._waiting.append(request)
            self._advance()
        else:
            self._serve(request)
        return True

    def eof_received(self) -> bool:
        """Part of asyncio.Protocol: an agent that closes its side has left."""
        return False

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        self._transport = None
        self._deaf = True
        self._gateway.forget(self)
        if self._exchange is not None:
            self._exchange.cancel()
        for request in (self._reading, self._current, *self._waiting):
            if request is not None:
                request.drop_body()
        self._waiting.clear()

    def pause_writing(self) -> None:
        """Part of asyncio.Protocol."""
        if self._exchange is not None:
            self._exchange.pause()

    def resume_writing(self) -> None:
        """Part of asyncio.Protocol."""
        if self._exchange is not None:
            self._exchange.resume()

    # httptools

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._reading = Request(self._gateway.bodies, self._stamp)
        self._head_size = 0
        self._head_done = False

    def on_url(self, url: bytes) -> None:
        """Called by the parser, perhaps in parts."""
        assert self._reading is not None
        self._reading.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; for trailers too, which are dropped."""
        assert self._reading is not None
        self._head_size += len(name) + len(value) + 4
        if not self._head_done and self._reading.refusal is None:
            self._reading.header(name.lower(), value)
            if len(self._reading.headers) > self._limits.max_headers:
                self._refuse_head(self._reading)

    def on_headers_complete(self) -> None:
        """Called by the parser: admission, before a byte of the body is held."""
        request, parser = self._reading, self._parser
        assert request is not None and parser is not None  # noqa: PT018
        self._head_done = True
        request.method = parser.get_method()
        request.version = parser.get_http_version()
        if request.refusal is None and self._head_size + len(request.target) > self._limits.max_head:
            self._refuse_head(request)
        if request.refusal is None:
            self._gateway.doorkeeper.admit(request, self._admitted)
        request.close = request.close or not parser.should_keep_alive()
        if request.refusal is None and not request.reserve(request.length or 0):
            request.refusal = _full()
        if request.refusal is None:
            self._admitted = request
        elif request.framing.chunked or request.framing.expect or (request.length or 0) > _DISCARD_BELOW:
            request.close = True
        if request.refusal is None and request.framing.expect and self._exchange is None and not self._waiting:
            self.write([CONTINUE])

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        request = self._reading
        assert request is not None
        if request.refusal is not None:
            return
        size = request.size + len(body)
        if size > self._limits.max_body:
            request.refusal, request.close = too_large(self._limits.max_body), True
        elif not request.reserve(size):
            request.refusal, request.close = _full(), True
        else:
            request.add(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        request, self._reading = self._reading, None
        assert request is not None
        request.whole = True
        self._head_done = False
        self._waiting.append(request)

    # faults of framing

    def _refuse_head(self, request: Request) -> None:
        request.refusal = Refusal(status=431, ref="bad-framing", message="the request's headers are too large")
        request.close = True

    def _check_sizes(self, size: int) -> None:
        request = self._reading
        if request is not None and not self._head_done:
            self._head_size = max(self._head_size, 0) + (size if not request.headers else 0)
            if self._head_size > self._limits.max_head or len(request.target) > self._limits.max_head:
                self._refuse_head(request)
        elif request is not None and request.raw_size > 8 * request.size + _DISCARD_BELOW:
            # tiny chunks with large extensions: many bytes on the wire for few of the body
            self._broken(400, "the request has more framing than body")
        if self._ahead > _AHEAD:
            self._deaf = True

    def _broken(self, status: int, reason: str) -> None:
        """The framing cannot be trusted: answer what came before, then this, then close."""
        request = self._reading or Request(self._gateway.bodies, self._monotonic())
        if request.refusal is None:
            request.refusal = Refusal(status=status, ref="bad-framing", message=reason)
        request.close = True
        self._reading = None
        self._deaf = True
        self._waiting.append(request)

    # answering

    def _advance(self) -> None:
        """Answer what can be answered now, in order."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._transport is not None and self._current is None and self._linger_until is None:
                request = self._next()
                if request is None:
                    break
                self._serve(request)
        finally:
            self._advancing = False

    def _next(self) -> Request | None:
        if self._waiting:
            return self._waiting.popleft()
        request = self._reading
        if request is not None and request.refusal is not None and request.close:
            # refused before its body was read: answer now, read the rest away, close
            self._reading = None
            self._deaf = True
            return request
        return None

    def _serve(self, request: Request) -> None:
        self._current = request
        self._ahead = 0
        exchange = self._desk.handle(self, request)
        if exchange is None:
            self._done()
            return
        self._exchange = exchange
        assert request.session is not None
        try:
            self._desk.start(exchange, request, request.session)
        except Exception as error:  # noqa: BLE001 - a bug ends one call in words; a closed connection is tried again
            exchange.broke(error)

    def write(self, pieces: list[bytes]) -> None:
        """Bytes to the agent; dropped when it has left."""
        if self._transport is not None and pieces:
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer of ours, in one write."""
        request = self._current
        close = request is None or request.close
        head = [
            status_line(status),
            header_lines(headers),
            b"content-length: %d\r\n" % len(body),
            b"connection: close\r\n" if close else b"",
            b"\r\n",
        ]
        is_head = request is not None and request.method == b"HEAD"
        self.write([*head, b"" if is_head else body])

    def refuse(self, dialect: str, refusal: Refusal, more: Headers | None = None) -> None:
        """A refusal in the dialect's form."""
        # a limit passes: there the client may ask again, after the time that `more` names
        base = _REFUSED[:1] if refusal.status == LIMITED else _REFUSED
        self.reply(refusal.status, [*base, *(more or [])], words.body(dialect, refusal))

    def over(self, exchange: Ends) -> None:
        """The exchange ended and has written all it had to."""
        if self._exchange is exchange:
            self._exchange = None
            self._done()

    def _done(self) -> None:
        request, self._current = self._current, None
        assert request is not None
        request.drop_body()
        self._stamp = self._monotonic()
        if request.close or self._gateway.closing:
            self._close(request)
        else:
            self._advance()

    def _close(self, request: Request) -> None:
        self._deaf = True
        for left in self._waiting:
            left.drop_body()
        self._waiting.clear()
        transport = self._transport
        if transport is None:
            return
        if request.whole or not transport.can_write_eof():
            transport.close()
            return
        # the rest of the body is on its way: a close now would reset the connection before our answer is read
        transport.write_eof()
        self._linger_until = self._monotonic() + self._limits.linger_s

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def exchange(self) -> Exchange | None:
        """The call that runs."""
        return self._exchange

    def drain(self) -> bool:
        """The gateway is ending: close where no call runs; True while one does."""
        if self._exchange is None:
            self.abort()
        return self._exchange is not None

    def check(self, now: float) -> None:
        """Look at the waits; called every tick."""
        if self._exchange is not None:
            self._exchange.check(now)
        elif self._linger_until is not None:
            if now > self._linger_until:
                self.abort()
        elif self._reading is not None:
            self._check_reading(self._reading, now)
        elif now - self._stamp > self._limits.idle_s:
            self.abort()

    def _check_reading(self, request: Request, now: float) -> None:
        if not self._head_done:
            late = now - request.started > self._limits.head_s
        else:
            late = now - self._stamp > self._limits.body_s
        if late:
            self._broken(408, "the request did not come in time")
            self._advance()


def _parse_fault(error: httptools.HttpParserError) -> tuple[int, str]:
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return 501, "the request has a method that is not served"
    return 400, "the request is not strict HTTP/1.1"


def _full() -> Refusal:
    return Refusal(status=503, ref="bodies-full", message="too many large requests are held here at once")
