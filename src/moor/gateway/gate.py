"""Which rules a request can need: a short one is searched once for the words of all rules, not once a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from moor.gateway.filters.base import REQUEST

if TYPE_CHECKING:
    from moor.gateway.filters.base import Filter
    from moor.wire.index import Index

_SHORT: Final = 16 * 1024
"""a longer body nearly always holds one of the words"""


class Gate:
    """Made once a plan. Eight rules that ask one by one cost 5 us a call, a quarter of the gateway's own work."""

    __slots__ = ("_always", "_bare", "_every", "_quoted", "on_answers")

    def __init__(self, filters: tuple[Filter, ...]) -> None:
        self._every = tuple(item for item in filters if REQUEST in item.phases)
        self._always = tuple(item for item in self._every if not item.trigger)
        self.on_answers = tuple(item for item in filters if REQUEST not in item.phases)
        """the rules about answers alone"""
        words = sorted({word for item in self._every for word in item.trigger})
        # words that begin with a quote share one search; a pattern without a common first byte is slower than many
        quoted = [re.escape(word[1:]) for word in words if word[:1] == b'"']
        self._quoted = re.compile(b'"(?:%s)' % b"|".join(quoted)) if quoted else None
        self._bare = tuple(word for word in words if word[:1] != b'"')

    def needed(self, index: Index) -> tuple[Filter, ...]:
        """The rules to ask, in their order."""
        body = index.body
        if len(body) > _SHORT or (self._quoted is not None and self._quoted.search(body)):
            return self._every
        for word in self._bare:
            if body.rfind(word) >= 0:
                return self._every
        return self._always
