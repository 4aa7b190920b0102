"""Which rules a request can need: a short one is searched for the words of all rules before one of them is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.gateway.filters.base import REQUEST
from moor.wire.words import fewest, holds_any

if TYPE_CHECKING:
    from moor.gateway.filters.base import Filter
    from moor.wire.index import Index

_SHORT: Final = 16 * 1024
"""a longer body nearly always holds one of the words"""


class Gate:
    """Made once a plan. Eight rules that ask one by one cost 5 us a call, a quarter of the gateway's own work."""

    __slots__ = ("_always", "_every", "_words", "ends", "on_answers")

    def __init__(self, filters: tuple[Filter, ...]) -> None:
        self._every = tuple(item for item in filters if REQUEST in item.phases)
        self._always = tuple(item for item in self._every if not item.trigger)
        on_answers = [item for item in filters if REQUEST not in item.phases]
        self.on_answers = tuple(item for item in on_answers if item.stage is not None or item.whole is not None)
        """the rules about answers alone that look at all of them"""
        self.ends = tuple(item for item in on_answers if item.end is not None)
        """those that look at the end of a stream"""
        self._words = fewest({word for item in self._every for word in item.trigger})

    def needed(self, index: Index) -> tuple[Filter, ...]:
        """The rules to ask, in their order."""
        body = index.body
        if len(body) > _SHORT:
            return self._every
        # one pattern for all words would cost more
        return self._every if holds_any(body, self._words) else self._always
