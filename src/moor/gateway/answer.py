"""An upstream's good answer on its way to the agent: metered on the upstream's own bytes, repaired, framed anew.

Bytes in, bytes out; the exchange owns the sockets. Content is framed anew (length or one chunk per read), so
nothing of an upstream's framing can confuse the agent's parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.usage import Usage
from moor.gateway.headers import agent_lines
from moor.wire import refusal as words
from moor.wire.heads import LAST_CHUNK, chunk, one_chunk, status_line
from moor.wire.meter.base import BYTES_PER_TOKEN, Tally
from moor.wire.meter.open import open_stream, read_body
from moor.wire.numbers import parted_events
from moor.wire.sse import EventBlocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moor.gateway.filters.base import Filter, Stage
    from moor.wire.refusal import Refusal
    from moor.wire.strictness import Headers

_HELD_EVENT: Final = 4 * 1024 * 1024
_WIDEST: Final = 1024
"""bytes of a document that a token takes at most: with its log probability and those of twenty others"""
_CLOSE: Final = b"connection: close\r\n"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_END: Final = b"\r\n"


class AnswerHead:
    """What the upstream's head says, and how the agent wants its answer."""

    def __init__(
        self,
        status: int,
        headers: Headers,
        length: bytes | None,
        extra: bytes,
        chunked: bool,
        close: bool,
        parted: bool = False,
    ) -> None:
        self.status = status
        self.headers = headers
        self.length = length
        self.extra = extra
        """header lines of ours"""
        self.chunked = chunked
        """the agent takes chunks"""
        self.close = close
        """the connection ends with this answer"""
        self.parted = parted
        """the agent would ask again at some numbers in an error's text"""

    def render(self, length: int | None) -> bytes:
        """The head towards the agent. A known length wins over chunks; without either the connection must end."""
        lines = [status_line(self.status), agent_lines(self.headers), self.extra]
        if length is not None:
            lines.append(b"content-length: %d\r\n" % length)
            self.chunked = False
        elif self.chunked:
            lines.append(_CHUNKED)
        else:
            self.close = True
        if self.close:
            lines.append(_CLOSE)
        lines.append(_END)
        return b"".join(lines)


class Answer:
    """`feed` and `finish` return what to write; `cut` ends an answer that cannot be completed."""

    def __init__(self, dialect: str, head: AnswerHead) -> None:
        self.dialect = dialect
        self.head = head
        self.sent_head = False
        self.size = 0
        """content bytes towards the agent"""
        self.mended: list[str] = []
        """names of the rules about answers that changed this one"""

    def _head(self, length: int | None) -> bytes:
        self.sent_head = True
        return self.head.render(length)

    def feed(self, pieces: list[bytes]) -> list[bytes]:
        """Bytes for the agent."""
        raise NotImplementedError

    def finish(self) -> list[bytes] | None:
        """The last bytes; None where the answer is not whole although the upstream ended it cleanly."""
        raise NotImplementedError

    def cut(self, refusal: Refusal, /) -> list[bytes]:
        """What to write before the connection is closed without an end."""
        raise NotImplementedError

    def usage(self, request_bytes: int) -> tuple[Usage, bool]:
        """What was used so far, and whether that is an estimate."""
        raise NotImplementedError

    def so_far(self, request_bytes: int) -> Usage:
        """What was used so far."""
        return self.usage(request_bytes)[0]

    @property
    def error(self) -> str:
        """The sentence of an error inside the answer."""
        raise NotImplementedError

    @property
    def said_all(self) -> bool:
        """Whether the event that ends a stream has passed, whatever may still come."""
        return False


class StreamAnswer(Answer):
    """Server-sent events: whole events pass at once, half of one waits, so that a cut is never inside an event."""

    def __init__(self, dialect: str, head: AnswerHead, stages: Sequence[Stage] = ()) -> None:
        super().__init__(dialect, head)
        self._stages = stages
        self.ends: Sequence[Filter] = ()
        """rules that add what a stream's end lacks"""
        self._meter = open_stream(dialect)
        self._blocks = EventBlocks(_HELD_EVENT)

    def feed(self, pieces: list[bytes]) -> list[bytes]:
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        passed = self._pass(data)
        out = [] if self.sent_head else [self._head(None)]
        if passed:
            self.size += len(passed)
            out.append(one_chunk(passed) if self.head.chunked else passed)
        return out

    def _pass(self, data: bytes) -> bytes:
        block = self._blocks.feed(data)
        if block:
            self._meter.feed(block, is_open=self._blocks.is_open)
            for stage in self._stages:
                block = stage.feed(block)
            if self._meter.tally.error:
                block = words.as_clients_read(self.dialect, block)
                if self.head.parted:
                    block = parted_events(block)
        return block

    def finish(self) -> list[bytes] | None:
        rest = self._blocks.rest()
        if rest and rest.strip():
            # the last event lacks its empty line: read it, and let it pass as it is
            self._meter.feed(rest + b"\n\n")
        added = self._added_end()
        if not self._meter.tally.ended and not self._meter.tally.error:
            return None
        out = [] if self.sent_head else [self._head(None)]
        if added:
            rest = b"%s\n\n%s" % (rest, added) if rest else added
        if rest:
            self.size += len(rest)
            out += chunk([rest]) if self.head.chunked else [rest]
        return [*out, LAST_CHUNK] if self.head.chunked else out

    def _added_end(self) -> bytes:
        """The last event, where the stream said all but that."""
        tally = self._meter.tally
        for rule in self.ends:
            added = rule.end(self.dialect, tally) if rule.end is not None and not tally.error else b""
            if added:
                self.mended.append(rule.name)
                tally.ended = True
                return added
        return b""

    def cut(self, refusal: Refusal, /) -> list[bytes]:
        event = words.event(self.dialect, refusal)
        out = [] if self.sent_head else [self._head(None)]
        if not self.head.chunked:
            return [*out, event]
        out += chunk([event])
        return [*out, LAST_CHUNK] if self.dialect in words.ENDS_IN_WORDS else out

    def usage(self, request_bytes: int) -> tuple[Usage, bool]:
        return self._meter.usage(request_bytes)

    @property
    def error(self) -> str:
        return self._meter.tally.error

    @property
    def said_all(self) -> bool:
        return self._meter.tally.ended


class BodyAnswer(Answer):
    """One JSON document: passes as it comes, a copy is kept for the meter."""

    def __init__(self, dialect: str, head: AnswerHead, max_metered: int) -> None:
        super().__init__(dialect, head)
        self._length = int(head.length) if head.length is not None else None
        self._max = max_metered
        """0: not metered at all"""
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._tally: Tally | None = None

    def feed(self, pieces: list[bytes]) -> list[bytes]:
        size = sum(map(len, pieces))
        self._keep(pieces, size)
        self.size += size
        if not self.sent_head:
            head = self._head(self._length)
            return [head, *(chunk(pieces) if self.head.chunked else pieces)]
        return chunk(pieces) if self.head.chunked else pieces

    def whole(self, pieces: list[bytes]) -> list[bytes] | None:
        """The answer came in one read: one write with its length. None where it is no JSON object."""
        size = len(pieces[0]) if len(pieces) == 1 else sum(map(len, pieces))
        self._keep(pieces, size)
        self.size = size
        if self._max and not self._read().ended:
            return None
        return [self._head(size), *pieces]

    def _keep(self, pieces: list[bytes], size: int) -> None:
        self._kept_size += size
        self._tally = None
        if self._kept_size <= self._max:
            self._kept += pieces
        else:
            self._kept = []

    def finish(self) -> list[bytes] | None:
        out = [] if self.sent_head else [self._head(self._length)]
        return [*out, LAST_CHUNK] if self.head.chunked else out

    def cut(self, _: Refusal, /) -> list[bytes]:
        """Nothing: a JSON document that is not completed is an error to every client."""
        return []

    def usage(self, request_bytes: int) -> tuple[Usage, bool]:
        return self._read().usage(request_bytes, self.size // BYTES_PER_TOKEN)

    def so_far(self, request_bytes: int) -> Usage:
        """A document says what it cost at its end. Until then it is counted low, because all that its call may ask
        for is reserved: only what goes on far beyond that is stopped."""
        return Usage(input=request_bytes // BYTES_PER_TOKEN, output=self.size // _WIDEST)

    @property
    def error(self) -> str:
        if not self._max or self._kept_size > self._max:
            return ""  # not to be read, or too long
        tally = self._read()
        return tally.error or ("" if tally.ended else "the answer is not a JSON object")

    def _read(self) -> Tally:
        if self._tally is None:
            body = self._kept[0] if len(self._kept) == 1 else b"".join(self._kept)
            self._tally = read_body(self.dialect, body)
        return self._tally
