"""Server-sent events without I/O: bytes cut anywhere in, whole events out.

Source: WHATWG HTML, section server-sent events. Lines end in LF, CR or CRLF; a leading BOM is dropped;
an event ends at an empty line; one that is not ended is never dispatched.
"""

from __future__ import annotations

import re
from typing import Final

from moor.wire.words import holds

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BOM: Final = b"\xef\xbb\xbf"


class SseEvent:
    """One dispatched event."""

    __slots__ = ("data", "event", "id")

    def __init__(self, data: bytes, event: str, event_id: str) -> None:
        self.data = data
        """the `data` lines joined by LF"""
        self.event = event
        self.id = event_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SseEvent) and (self.data, self.event, self.id) == (other.data, other.event, other.id)

    def __hash__(self) -> int:
        return hash((self.data, self.event, self.id))


class SseDecoder:
    """Turns a byte stream cut anywhere into events; `feed` returns those that are whole so far.

    `max_bytes` bounds one unfinished event; beyond it `overflowed` is set and the rest is ignored.
    """

    def __init__(self, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._buffer = b""
        self._first = True
        self._data: list[bytes] = []
        self._held = 0
        self._event = ""
        self._id = ""
        self._max = max_bytes
        self.overflowed = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events completed by these bytes, in order."""
        if self.overflowed:
            return []
        buffer = self._buffer + data
        if self._first:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._buffer = buffer
                return []
            buffer = buffer.removeprefix(_BOM)
            self._first = False
        return self._lines(buffer)

    def _lines(self, buffer: bytes) -> list[SseEvent]:
        events: list[SseEvent] = []
        if b"\r" in buffer:
            rest = self._lines_of_any_end(buffer, events)
        else:
            *lines, rest = buffer.split(b"\n")
            for line in lines:
                event = self._line(line)
                if event is not None:
                    events.append(event)
        self._buffer = rest
        if len(rest) + self._held > self._max:
            self.overflowed = True
            self._buffer = b""
            self._data = []
        return events

    def _lines_of_any_end(self, buffer: bytes, events: list[SseEvent]) -> bytes:
        """Takes the whole lines, adds the events they complete, returns the rest."""
        start = 0
        for found in _LINE_END.finditer(buffer):
            if found.group() == b"\r" and found.end() == len(buffer):
                break  # the LF of this CRLF may be in the next bytes
            event = self._line(buffer[start : found.start()])
            start = found.end()
            if event is not None:
                events.append(event)
        return buffer[start:]

    def _line(self, line: bytes) -> SseEvent | None:
        if not line:
            return self._dispatch()
        if line.startswith(b"data: "):
            self._data.append(line[6:])
            self._held += len(line) - 6
            return None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._held += len(value)
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> SseEvent | None:
        data, name = self._data, self._event
        self._data, self._event, self._held = [], "", 0
        if not data:
            return None
        return SseEvent(data[0] if len(data) == 1 else b"\n".join(data), name or "message", self._id)


def last_boundary(data: bytes) -> int:
    """Number of bytes up to and including the last empty line; 0 where there is none.

    A CR at the very end is not taken for a line end, its LF may still come.
    """
    found = data.rfind(b"\n\n")
    best = found + 2 if found >= 0 else 0
    if best == len(data) or not holds(data, b"\r"):
        return best
    for mark in (b"\n\r", b"\r\r"):
        end = data.rfind(mark) + 2
        if end > 1:
            best = max(best, end + 1 if data.startswith(b"\n", end) else end)
    if best == len(data) and data.endswith(b"\r"):
        return last_boundary(data.rstrip(b"\r"))  # all at once: a peer may send a million of them
    return best


class EventBlocks:
    """Cuts a byte stream into blocks of whole events, so that a broken stream never shows half of one.

    `feed` returns everything up to the last empty line; a single event above `max_bytes` is let
    through in pieces rather than held.
    """

    def __init__(self, max_bytes: int = 256 * 1024) -> None:
        self._held: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._max = max_bytes
        self.is_open = False
        """the last block ended inside an event"""

    def feed(self, data: bytes) -> bytes:
        """The whole events so far, byte for byte; b"" when none ended."""
        self.is_open = False
        if not self._tail:
            if data.endswith(b"\n\n"):
                return data
            end = last_boundary(data)
            if end == len(data):
                return data
            if end:
                self._hold(data[end:])
                return data[:end]
            self._hold(data)
            return self._spill()
        # an empty line may be cut by the edge: look at the last three bytes of what is held as well
        edge = self._tail
        best = last_boundary(edge + data)
        if not best:
            self._hold(data)
            return self._spill()
        end = max(0, best - len(edge))
        block = b"".join((*self._held, data[:end]))
        self._held, self._size, self._tail = [], 0, b""
        if end < len(data):
            self._hold(data[end:])
        return block

    def rest(self) -> bytes:
        """What is held and not yet returned; it is an unfinished event."""
        return b"".join(self._held)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        self._tail = (self._tail + data)[-3:]

    def _spill(self) -> bytes:
        if self._size <= self._max:
            return b""
        block = b"".join(self._held)
        self._held, self._size = [], 0
        self.is_open = True
        return block
