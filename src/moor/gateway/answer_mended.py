"""Answers on which rules of the way back run: the meter reads the upstream's bytes, the agent gets what they make.

Kept apart from the plain answers, which most calls have and which hold nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moor.gateway.answer import AnswerHead, BodyAnswer, StreamAnswer
from moor.wire.splice import encode, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moor.gateway.filters.base import Filter, Stage


class _Mender:
    """The stages of rules about answers, in order; notes which of them changed something."""

    def __init__(self, rules: Sequence[Filter]) -> None:
        self._stages = [(rule.name, rule.stage()) for rule in rules if rule.stage is not None]
        self.names: list[str] = []

    def feed(self, block: bytes) -> bytes:
        """What goes to the agent of a block of whole events."""
        for name, stage in self._stages:
            after = stage.feed(block)
            if after is not block and name not in self.names:
                self.names.append(name)
            block = after
        return block


def mended_stream(dialect: str, head: AnswerHead, stages: list[Stage], rules: Sequence[Filter]) -> StreamAnswer:
    """A stream with the stages of the request's rules, then those of the rules about answers."""
    mender = _Mender(rules)
    answer = StreamAnswer(dialect, head, [*stages, mender])
    answer.mended = mender.names
    return answer


class MendedBody(BodyAnswer):
    """One JSON document: held to its end, then changed. Beyond the meter's bound it passes unchanged."""

    def __init__(self, dialect: str, head: AnswerHead, max_held: int, rules: Sequence[Filter]) -> None:
        super().__init__(dialect, head, max_held)
        self._rules = rules
        self._waiting: list[bytes] = []
        self._waiting_size = 0

    def feed(self, pieces: list[bytes]) -> list[bytes]:
        if self.sent_head:
            return super().feed(pieces)
        self._waiting += pieces
        self._waiting_size += sum(map(len, pieces))
        if self._waiting_size <= self._max:
            return []
        pieces, self._waiting = self._waiting, []
        return super().feed(pieces)

    def whole(self, pieces: list[bytes]) -> list[bytes] | None:
        everything = self._waiting + pieces
        size = self._waiting_size + sum(map(len, pieces))
        self._waiting = []
        self._keep(everything, size)
        self.size = size
        if not self._read().ended:
            return None
        body = self._mend(b"".join(everything))
        self.size = len(body)
        return [self._head(self.size), body]

    def _mend(self, body: bytes) -> bytes:
        before = document = value(body)
        if not isinstance(document, dict):
            return body
        for rule in self._rules:
            after: dict[str, Any] = rule.whole(document) if rule.whole is not None else document
            if after is not document:
                self.mended.append(rule.name)
            document = after
        return body if document is before else encode(document)
