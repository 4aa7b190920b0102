"""What all meters share: the tally of one answer, and the gate that keeps most events unparsed.

Parsing every event costs more than relaying it (facts/performance A: 1.3 us against 0.2 us for a search), so
an event is decoded only when its block holds one of the dialect's trigger words. Inspecting an event that
holds none has no effect, which is why the result is the same however the stream is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from moor.domain.usage import Usage
from moor.wire.sse import SseDecoder, SseEvent
from moor.wire.words import holds

if TYPE_CHECKING:
    from collections.abc import Mapping

BYTES_PER_TOKEN: Final = 4
"""the usual rule of thumb for an estimate; only used where an upstream told nothing"""

_STRIDE: Final = 16
"""deltas of a stream of which one is read, to see how much of it is text; the first few are read each"""
_FIRST: Final = 4
_MAX_ENVELOPE: Final = 400
"""bytes; no event of the four dialects has more around its text: until one was read"""
_NO_TEXT: Final = frozenset(("type", "role", "id", "signature", "thoughtSignature", "encrypted_content", "index"))
"""keys inside of a delta whose values no model wrote"""
_LONG: Final = 4096
"""bytes of a block whose events are looked for one by one"""
_JSON: Final = msgspec.json.Decoder()
T = TypeVar("T")


class Tally:
    """What one answer said about itself so far. None: it did not say."""

    __slots__ = (
        *("cache_read", "cache_write", "ended", "error", "final", "hour", "input", "marked", "output", "reasoning"),
    )

    def __init__(self) -> None:
        self.input: int | None = None
        """uncached input tokens"""
        self.output: int | None = None
        """with reasoning"""
        self.cache_read = 0
        self.cache_write = 0
        self.hour = 0
        """of `cache_write`: kept for an hour"""
        self.reasoning = 0
        self.final = False
        """the numbers are the last ones the upstream sends"""
        self.ended = False
        """the dialect's own end came"""
        self.marked = False
        """the mark behind the last event came, in a dialect that has one beside its end (`[DONE]`)"""
        self.error = ""
        """sentence of an error inside the answer"""

    def usage(self, request_bytes: int, output_tokens: int) -> tuple[Usage, bool]:
        """The usage, and whether it is an estimate; the arguments fill what was never said."""
        told_input = self.input is not None
        estimated = not self.final or not told_input
        said_output = self.output or 0
        return (
            Usage(
                input=self.input if self.input is not None else request_bytes // BYTES_PER_TOKEN,
                output=said_output if self.final else max(said_output, output_tokens),
                cache_read=self.cache_read,
                cache_write=self.cache_write,
                reasoning=self.reasoning,
                cache_write_1h=min(self.hour, self.cache_write),
            ),
            estimated,
        )


class Reader(Protocol):
    """One dialect's knowledge: where usage, end and error stand."""

    triggers: tuple[bytes, ...]
    """an event without any of these words says nothing about usage, end or error"""
    delta: bytes
    """a word that stands once in each event with content; for estimates"""
    usual: bytes
    """how an event with content begins that holds nothing but content, where upstreams write it so; else empty"""

    def event(self, tally: Tally, event: SseEvent) -> None:
        """Take what one event of a stream says."""
        ...

    def content(self, data: Mapping[str, Any]) -> Any:
        """What the model wrote in an event with content, and some of what is around it."""
        ...

    def body(self, tally: Tally, body: bytes) -> None:
        """Take what a whole answer says."""
        ...


class StreamMeter:
    """Meters one stream. Feed it blocks of whole events (`wire.sse.EventBlocks`)."""

    __slots__ = (
        *("_bytes", "_decoder", "_delta", "_deltas", "_envelope", "_next", "_open", "_reader", "_since", "_told"),
        *("_triggers", "_usual", "tally"),
    )

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._delta = reader.delta
        self._triggers = reader.triggers
        self._usual = reader.usual
        self._decoder = SseDecoder()
        self._open = False
        self._deltas = 0
        self._bytes = 0
        """of blocks with content, since one was last read"""
        self._since = 0
        """deltas in them"""
        self._told = 0
        """bytes of text before them"""
        self._envelope = _MAX_ENVELOPE
        """bytes around the text of the delta that was last read"""
        self._next = 1
        """the delta that is read next"""
        self.tally = Tally()

    def feed(self, block: bytes, *, is_open: bool = False) -> None:
        """Take a block; `is_open` says that its last event is not whole and goes on in the next block."""
        usual = self._usual
        closed = not (self._open or is_open)
        # most blocks are one such event: it is counted, and not searched
        one = closed and usual and block[: len(usual)] == usual and block.find(b"\n\n") == len(block) - 2
        deltas = 1 if one else block.count(self._delta)
        if deltas:
            self._deltas += deltas
            self._since += deltas
            self._bytes += len(block)
            if self._deltas >= self._next:
                self._read_delta(block)
        if one:
            return
        if closed:
            # from the end: CPython's search in that direction costs a third (0.1 ns a byte, not 0.3)
            found = [word for word in self._triggers if block.rfind(word) >= 0]
            if not found:
                return
            if not holds(block, b"\r"):
                for text in _around(block, found) if len(block) > _LONG else block.split(b"\n\n"):
                    self._take(text, found)
                return
        self._open = is_open
        for event in self._decoder.feed(block):
            self._reader.event(self.tally, event)

    def _take(self, text: bytes, words: list[bytes]) -> None:
        """One event without its empty line, whose lines end in LF; read where it holds one of the words."""
        for word in words:
            if text.rfind(word) >= 0:
                break
        else:
            return
        # nearly all have one line with data, the last one, and at most a name before it
        at = text.rfind(b"\n") + 1
        plain = text.startswith(b"data: ", at) and (
            at == 0 or (text.startswith(b"event: ") and text.find(b"\n") == at - 1)
        )
        if plain:
            name = text[7 : at - 1].decode("utf-8", "replace") if at else "message"
            self._reader.event(self.tally, SseEvent(text[at + 6 :], name, ""))
            return
        for event in self._decoder.feed(text + b"\n\n"):
            self._reader.event(self.tally, event)

    def usage(self, request_bytes: int) -> tuple[Usage, bool]:
        """What was used, and whether that is an estimate.

        Where nothing was said a delta counts as one token, and text of more than four bytes a delta by its bytes.
        """
        told = self._told + max(0, self._bytes - self._since * self._envelope)
        return self.tally.usage(request_bytes, max(self._deltas, told // BYTES_PER_TOKEN))

    def _read_delta(self, block: bytes) -> None:
        """See how much of a block's first delta is text. Not at each: to parse one costs more than to pass it on."""
        at, gap = block.find(self._delta), b"\n\n"
        end = block.find(gap, at)
        if end < 0:
            gap = b"\r\n\r\n"
            end = block.find(gap, at)
        before = block.rfind(gap, 0, at)
        begin = before + len(gap) if before >= 0 else 0
        data = block.find(b"data:", begin, end)
        if data < 0 or end < 0:
            return  # it goes on in the next block
        text = text_bytes(self._reader.content(parse(block[data + 5 : end])))
        self._envelope = end + len(gap) - begin - text
        self._told += max(0, self._bytes - self._since * self._envelope)
        self._bytes = self._since = 0
        self._next = self._deltas + (1 if self._deltas < _FIRST else _STRIDE)


def text_bytes(content: Any) -> int:
    """Bytes of what a model wrote: of all texts in there, but for those of keys that say something else."""
    size, todo = 0, [content]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            size += len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += [inner for key, inner in value.items() if key not in _NO_TEXT]
    return size


def _around(block: bytes, words: list[bytes]) -> list[bytes]:
    """The events that hold one of the words, which all stand in the block, and no others: of a flood few do. Lines
    end in LF. Each byte is searched once a word, however many events hold one."""
    nexts = [block.find(word) for word in words]
    kept: list[bytes] = []
    while nexts:
        first = min(nexts)
        before, end = block.rfind(b"\n\n", 0, first), block.find(b"\n\n", first)
        at = len(block) if end < 0 else end + 2
        kept.append(block[before + 2 if before >= 0 else 0 : at if end < 0 else end])
        again = [(word, hit if hit >= at else block.find(word, at)) for word, hit in zip(words, nexts, strict=True)]
        words = [word for word, hit in again if hit >= 0]
        nexts = [hit for _, hit in again if hit >= 0]
    return kept


def parse(data: bytes) -> Mapping[str, Any]:
    """The JSON object, or an empty one where there is none."""
    try:
        found = _JSON.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_as(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """A document of the usual form, a third of the cost of `parse`; None where it has another, or is no JSON."""
    try:
        if not data.isascii():
            data.decode()  # what the decoder skips it does not check
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def part(holder: Any, key: str) -> Mapping[str, Any]:
    """The object under a key, or an empty one."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def count(holder: Mapping[str, Any], key: str) -> int | None:
    """A token count under a key: None where absent, no number, negative or absurd."""
    found = holder.get(key)
    if type(found) is int and 0 <= found < 1_000_000_000_000:
        return found
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return int(found) if 0 <= found < 1e12 else None


def error_text(holder: Any) -> str:
    """The sentence of an error in any of the recorded shapes: `error.message`, `message`, the text itself."""
    if isinstance(holder, str):
        return holder[:500]
    if not isinstance(holder, dict):
        return "unknown error"
    inner = holder.get("error", holder)
    if isinstance(inner, dict):
        inner = inner.get("message") or inner.get("type") or inner.get("code") or inner.get("status")
    return str(inner or holder.get("message") or "unknown error")[:500]
