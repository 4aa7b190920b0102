"""What may be spent: caps in money or tokens, each over a scope in which calls add up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from moor.domain.ids import KEY

MONEY: Final = "usd"
"""amounts are nano-dollars"""
TOKENS: Final = "tokens"
"""amounts are tokens, cached ones included"""
UNITS: Final = (MONEY, TOKENS)

SESSION: Final = "session"
"""a session and its children"""
DAY: Final = "day"
MONTH: Final = "month"
TOTAL: Final = "total"
"""ever since the first call"""
PERIODS: Final = (SESSION, DAY, MONTH, TOTAL)

KEY_NAME: Final = "key:"
"""before the name of a key in that of its cap"""
KEY_LEVEL: Final = "key"
"""level of a cap that belongs to a key of the stand-alone gateway"""

WARN_AT: Final = (50, 80, 95)
"""percent of a cap at which somebody is told"""


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. It holds for the calls of this machine's user that its filters fit."""

    name: str
    """for people: `session`, `day`, the name under `[budgets]`, or `key:` and that of a key"""
    per: str
    unit: str
    limit: int
    """nano-dollars or tokens"""
    level: str = ""
    """who set it: `command line`, `user`, `project`, `administrator`, `key`"""
    session: str = ""
    """the session that children count into; for `per = session`"""
    upstream: str = ""
    key: str = ""
    """id of a key of the stand-alone gateway"""
    tag: str = ""
    """`team=x`"""

    @property
    def of_key(self) -> str:
        """The name of the key of the stand-alone gateway whose calls, and no others, count into it; else empty."""
        own = self.per == SESSION and self.session.startswith(f"{KEY}_")
        return self.name.removeprefix(KEY_NAME) if own else ""

    def fits(self, upstream: str, key: str, tags: Mapping[str, str]) -> bool:
        """Whether calls of such a session count into it."""
        tag, _, value = self.tag.partition("=")
        return (
            self.upstream in ("", upstream) and self.key in ("", key) and (not self.tag or tags.get(tag, "") == value)
        )

    def scope(self, now_s: float) -> str:
        """What adds up: calls of one scope share one counter. Days and months are those of the machine's clock."""
        head = self.per
        if self.per == SESSION:
            head = f"{SESSION}:{self.session}"
        elif self.per != TOTAL:
            head = f"{self.per}:{time.strftime('%Y-%m' if self.per == MONTH else '%Y-%m-%d', time.localtime(now_s))}"
        filters = [f"{word}={value}" for word, value in self._filters() if value]
        return ";".join([head, *filters])

    def since(self, now_s: float) -> float:
        """Start of its period in seconds since the epoch; 0 where it has none."""
        if self.per not in (DAY, MONTH):
            return 0.0
        now = time.localtime(now_s)
        day = 1 if self.per == MONTH else now.tm_mday
        # midnight by the wall clock, also on the two days that are longer or shorter
        return time.mktime((now.tm_year, now.tm_mon, day, 0, 0, 0, 0, 0, -1))

    def until(self, now_s: float) -> float:
        """End of its period, where the next one begins; 0 where it has none."""
        if self.per not in (DAY, MONTH):
            return 0.0
        now = time.localtime(now_s)
        month, day = (now.tm_mon + 1, 1) if self.per == MONTH else (now.tm_mon, now.tm_mday + 1)
        return time.mktime((now.tm_year, month, day, 0, 0, 0, 0, 0, -1))

    def _filters(self) -> tuple[tuple[str, str], ...]:
        return ("upstream", self.upstream), ("key", self.key), ("tag", self.tag)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a cap stands."""

    cap: Cap
    scope: str
    spent: int
    """by committed calls"""
    held: int
    """by running processes, beside what is spent"""
    lost: int
    """held by processes that were killed; counts as spent until it is released"""

    @property
    def free(self) -> int:
        """What may still be spent; never below 0."""
        return max(0, self.cap.limit - self.spent - self.held - self.lost)

    @property
    def percent(self) -> int:
        """Spent share of the limit in whole percent; above 100 where calls overspent."""
        used = self.spent + self.lost
        return 100 if self.cap.limit <= 0 else used * 100 // self.cap.limit


def tightest(caps: Iterable[Cap]) -> tuple[Cap, ...]:
    """One cap a scope and unit: the lowest. Scopes are compared at one instant, which all of them share."""
    found: dict[tuple[str, str], Cap] = {}
    for cap in caps:
        place = (cap.scope(0.0), cap.unit)
        if place not in found or cap.limit < found[place].limit:
            found[place] = cap
    return tuple(found.values())
