"""A head that an agent repeats byte for byte is recognised by its bytes, and not parsed again.

A parser accepted exactly these bytes before, but for the digits of the length, and the one of this connection stands
between two messages; so a whole request whose head is the same needs no parser. Everything else (another head, a
body that comes in parts, a chunked one) takes the parser's way.
"""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moor.gateway.request import Request

MAX_HEADS: Final = 8
"""heads that are known to all connections: agents ask on several at once, and with few heads"""
_MAX_DIGITS: Final = 9
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d{1,9})(?=\r\n)", re.IGNORECASE)


class RepeatedHead:
    """The bytes around the length of an admitted head, and what was found out about it."""

    __slots__ = ("_after", "_before", "_model")

    def __init__(self, before: bytes, after: bytes, model: Request) -> None:
        self._before = before
        self._after = after
        self._model = model

    @property
    def around(self) -> tuple[bytes, bytes]:
        """What stands before and after the digits of the length."""
        return self._before, self._after

    def is_head_of(self, data: bytes) -> bool:
        """Whether the data begins with it; how long that takes says nothing about the key in it."""
        before, after = self._before, self._after
        end = data.find(b"\r", len(before))
        return compare_digest(data[: len(before)], before) and compare_digest(data[end : end + len(after)], after)

    def match(self, data: bytes, now: float) -> Request | None:
        """The request, if the data is one whole request with this head; else None."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        # sign by sign: compiled, that costs a fifth of the methods of bytes
        end, length = len(before), 0
        last = min(end + _MAX_DIGITS, len(data))
        while end < last and 48 <= data[end] <= 57:
            length = length * 10 + data[end] - 48
            end += 1
        start = end + len(after)
        if end == len(before) or data[end:start] != after or len(data) - start != length:
            return None
        return self._model.again(data[start:], length, now)


class KnownHeads:
    """The heads that were learned last, for connections that are new. Newest first; bounded."""

    def __init__(self) -> None:
        self._heads: list[RepeatedHead] = []

    def add(self, head: RepeatedHead) -> None:
        """Keep one; an equal one is replaced."""
        others = [known for known in self._heads if known.around != head.around]
        self._heads = [head, *others[: MAX_HEADS - 1]]

    def find(self, data: bytes) -> RepeatedHead | None:
        """The one that this data begins with."""
        for head in self._heads:
            if head.is_head_of(data):
                return head
        return None


def learn(data: bytes, request: Request) -> RepeatedHead | None:
    """The pattern of an admitted request that `data` holds, and nothing else; None for a head of another kind."""
    framing = request.framing
    if request.refusal is not None or request.close or framing.chunked or framing.expect or not request.key_hash:
        return None
    end = data.find(b"\r\n\r\n")
    found = _LENGTH.findall(data, 0, end + 2)
    at = _LENGTH.search(data, 0, end + 2)
    if end < 0 or at is None or len(found) != 1 or end + 4 + int(at[1]) != len(data) or request.length != int(at[1]):
        return None
    return RepeatedHead(data[: at.start(1)], data[at.end(1) : end + 4], request)
