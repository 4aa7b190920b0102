"""Conversations that agents send again and again, each time a little longer: what was read once is not read again.

An agent sends the whole conversation with every call. Where a large body begins with the very bytes of the one
before, up to the end of some message, the parser would be in the same state behind them; so only the rest is read,
and what was found out about the messages before holds. Bytes are compared, nothing is guessed: a message that differs
in one byte, a white space more, another session, and the body is read from its begin.
"""

from __future__ import annotations

from typing import Final

from moor.wire.index import Index, index_object
from moor.wire.splice import Buffer, elements

LEAST: Final = 64 * 1024
"""bytes of a body below which reading it is cheap"""
MOST: Final = 3 * 1024 * 1024
"""bytes of all bodies kept by a process"""
_PART: Final = 4
"""less than this part of the body before is not worth the search for where the bytes part"""
_KEYS: Final = ("messages", "input", "contents")
"""where the dialects keep the conversation"""


class Past:
    """What is known of the first messages of a body."""

    __slots__ = ("count", "ends", "notes", "rest")

    def __init__(self, ends: list[int], notes: dict[str, object], rest: bytes) -> None:
        self.count = len(ends)
        """messages that are known"""
        self.ends = ends
        """where each of them ends in the body"""
        self.notes = notes
        """about the messages of the body before, of which they were the first"""
        self.rest = rest
        """the messages behind them, a JSON array"""


class Conversations:
    """The last large bodies of a process, by whose they are. Used on the loop only."""

    def __init__(self, least: int = LEAST, most: int = MOST) -> None:
        self._least = least
        self._most = most
        self._kept: list[tuple[str, Index]] = []
        """the newest last"""

    def index(self, owner: str, body: bytes) -> Index:
        """The same as `index_object`, with `past` where the body goes on from an earlier one of this owner."""
        if len(body) < self._least:
            return index_object(body)
        found: Index | None = None
        for place in range(len(self._kept) - 1, -1, -1):
            whose, before = self._kept[place]
            if whose == owner:
                found = _resumed(before, body)
                if found is not None:
                    del self._kept[place]
                    break
        index = found if found is not None else index_object(body)
        self._keep(owner, index)
        return index

    def _keep(self, owner: str, index: Index) -> None:
        size = len(index.body)
        if size > self._most:
            return
        self._kept.append((owner, index))
        held = sum([len(kept.body) for _, kept in self._kept])
        while held > self._most:
            held -= len(self._kept[0][1].body)
            del self._kept[0]


def _resumed(before: Index, body: bytes) -> Index | None:
    """The index of a body that begins as the other one does; None where it does not, or not in a form seen here."""
    key = conversation_key(before)
    if not key:
        return None
    start = before.spans[key][0] + 1
    old = memoryview(before.body)
    if not body.startswith(old[: start + (len(old) - start) // _PART]):
        return None
    ends = ends_of(before, key)
    count = _shared(old, body, ends)
    if not count:
        return None
    end = ends[count - 1]
    sign, after = body[end : end + 1], body[end + 1 : end + 2]
    if sign == b"," and after == b"{":
        rest = body[end + 1 :]
    elif sign == b"]":
        rest = body[end:]
    else:
        return None
    shorter = index_object(body[:start] + rest)
    spans = _shifted(shorter.spans, start - 1, len(body) - len(shorter.body))
    if spans is None:
        return None
    index = Index(body, spans)
    index.past = Past(ends[:count], before.notes, shorter.raw(key) or b"[]")
    return index


def conversation_key(index: Index) -> str:
    """The key of the array that grows; empty where there is none."""
    for key in _KEYS:
        span = index.spans.get(key)
        if span is not None and index.body[span[0] : span[0] + 1] == b"[":
            return key
    return ""


def ends_of(index: Index, key: str) -> list[int]:
    """Where each message ends in the body; none where there is white space between them."""
    if index.ends is None:
        start, end = index.spans[key]
        at, ends, past = start + 1, [], index.past
        array: Buffer = memoryview(index.body)[start:end]
        if past is not None:
            at, ends, array = past.ends[-1] + 1, past.ends.copy(), past.rest
        for item in elements(array) or ():
            at += len(memoryview(item))
            ends.append(at)
            at += 1
        index.ends = ends if at == end else []
    return index.ends


def _shared(old: memoryview, body: bytes, ends: list[int]) -> int:
    """How many messages are the same, or a few less: the last ones are where agents put their marks."""
    count, step, after = len(ends), 1, 1
    while count > 0 and not body.startswith(old[: ends[count - 1]]):
        count -= step
        step, after = after, step + after
    return max(0, count)


def _shifted(spans: dict[str, tuple[int, int]], at: int, size: int) -> dict[str, tuple[int, int]] | None:
    """The spans as they are with the messages that were left out behind `at`; None where no value begins there."""
    found = False
    shifted: dict[str, tuple[int, int]] = {}
    for key, (start, end) in spans.items():
        found = found or start == at
        shifted[key] = (start if start <= at else start + size, end if start < at else end + size)
    return shifted if found else None
