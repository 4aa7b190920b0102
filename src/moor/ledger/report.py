"""What was used: sums over the ledger, by any of the dimensions below and by labels.

All sums are integers and exact: rows of any grouping add up to the totals. A day is one of the machine's
local time zone. A call counts as failed when its outcome is neither `ok` nor `cancelled`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from moor.domain.call import CANCELLED, OK
from moor.domain.models import NANO
from moor.domain.usage import Usage
from moor.ledger.sums import exact, exact_sum
from moor.store.db import opened
from moor.store.home import Home

AGENT: Final = "agent"
MODEL: Final = "model"
DAY: Final = "day"
SESSION: Final = "session"
DIMENSIONS: Final = (AGENT, MODEL, DAY, SESSION)
"""what `--json` groups by when nobody said otherwise"""
USER: Final = "user"
REPO: Final = "repo"
BRANCH: Final = "branch"
UPSTREAM: Final = "upstream"
SUBAGENT: Final = "subagent"
"""the agent's own name or session of a sub-agent; empty for its main agent"""
ASKED: Final = "asked"
"""the model that the agent asked for, which another may have answered for"""
ALL_DIMENSIONS: Final = (*DIMENSIONS, USER, REPO, BRANCH, UPSTREAM, SUBAGENT, ASKED)
TAG: Final = "tag:"
"""before the name of a label"""

_EXPRESSIONS: Final = {
    AGENT: "agent",
    MODEL: "model",
    DAY: "date(started_at, 'unixepoch', 'localtime')",
    SESSION: "session",
    USER: "COALESCE((SELECT user FROM sessions WHERE sessions.id = part.session), '')",
    REPO: "COALESCE((SELECT repository FROM sessions WHERE sessions.id = part.session), '')",
    BRANCH: "COALESCE((SELECT branch FROM sessions WHERE sessions.id = part.session), '')",
    UPSTREAM: "upstream",
    SUBAGENT: "CASE WHEN parent_session = '' THEN '' ELSE agent_session END",
    ASKED: "CASE WHEN asked = '' THEN model ELSE asked END",
}
_LABEL: Final = "COALESCE((SELECT label.value FROM json_each(part.tags) AS label WHERE label.key = :{}), '')"
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_USED: Final = "input + output + cache_read + cache_write > 0"
_COLUMNS: Final = (
    *("session", "agent", "agent_session", "parent_session", "upstream", "model", "asked", "outcome", "estimated"),
    *("tags", "started_at", "calls", "unpriced", *_TOKENS, "cost_nano"),
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, tokens and money of some calls."""

    calls: int = 0
    usage: Usage = Usage()
    cost_nano: int = 0
    """of the calls with a known price"""

    def __add__(self, other: Part) -> Part:
        return Part(
            calls=self.calls + other.calls,
            usage=self.usage + other.usage,
            cost_nano=self.cost_nano + other.cost_nano,
        )


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group of calls."""

    by: dict[str, str] = {}
    """dimension to value; empty where a call has none, e.g. no such label"""
    failed: int = 0
    unpriced: int = 0
    """calls that used tokens at a price nobody stated"""
    final: Part = Part()
    """calls whose final usage came"""
    estimated: Part = Part()
    """calls whose final usage never came"""

    @property
    def session(self) -> str:
        """The session, where rows are grouped by it."""
        return self.by.get(SESSION, "")

    @property
    def calls(self) -> int:
        """All calls of the group."""
        return self.whole.calls

    @property
    def usage(self) -> Usage:
        """All tokens, estimated ones included."""
        return self.whole.usage

    @property
    def whole(self) -> Part:
        """Final and estimated together."""
        return self.final + self.estimated

    @property
    def cost_nano(self) -> int | None:
        """Nano-dollars, estimated ones included; None when the price of a call is not known."""
        return None if self.unpriced else self.whole.cost_nano

    def as_json(self) -> dict[str, Any]:
        """The documented form: all dimensions, whole sums with an exact `cost_usd`, the estimated part apart."""
        return {
            **dict.fromkeys(DIMENSIONS),
            **self.by,
            "calls": self.calls,
            "failed": self.failed,
            **_tokens(self.usage),
            "cost_usd": exact_usd(self.cost_nano),
            "unpriced": self.unpriced,
            "known_cost_usd": exact_usd(self.whole.cost_nano),
            "estimated": {
                "calls": self.estimated.calls,
                **_tokens(self.estimated.usage),
                "cost_usd": exact_usd(self.estimated.cost_nano),
            },
        }


def usage_rows(
    home: Home,
    by: Sequence[str] = (AGENT, MODEL),
    since: float | None = None,
    session: str | None = None,
    last: bool = False,
) -> list[UsageRow]:
    """One row a group, ordered by the dimensions; [] when there are no calls.

    `since`: seconds since the epoch; `last`: only the newest session. BLOCKS on SQLite.
    """
    if not home.db_path.exists():
        return []
    with opened(home, write=False) as connection:
        only = _newest_session(connection) if last else session
        return _grouped(connection, by, since, None if only is None else [only])


def session_rows(home: Home, sessions: Sequence[str]) -> dict[str, UsageRow]:
    """The sums of those sessions that have calls, by session id. BLOCKS on SQLite."""
    if not sessions or not home.db_path.exists():
        return {}
    with opened(home, write=False) as connection:
        return {row.session: row for row in _grouped(connection, (SESSION,), None, sessions)}


def totals(home: Home, since: float | None = None, session: str | None = None, last: bool = False) -> UsageRow:
    """The sum of all calls in question; a row of zeros when there are none. BLOCKS on SQLite."""
    rows = usage_rows(home, (), since, session, last)
    return rows[0] if rows else UsageRow()


def exact_usd(nano: int | None) -> msgspec.Raw:
    """Dollars as a JSON number with all its digits; `null` when the price is not known."""
    return msgspec.Raw(b"null" if nano is None else usd_text(nano).encode())


def usd_text(nano: int) -> str:
    """Dollars in decimal notation, exact, without trailing zeros: `0.000123`."""
    whole, part = divmod(abs(nano), NANO)
    digits = f"{part:09d}".rstrip("0")
    return ("-" if nano < 0 else "") + (f"{whole}.{digits}" if digits else f"{whole}")


def _tokens(usage: Usage) -> dict[str, int]:
    return {name: getattr(usage, name) for name in ("input", "cache_read", "cache_write", "output", "reasoning")}


def _part(since: float | None, sessions: Sequence[str] | None) -> tuple[str, dict[str, object]]:
    """SQL for the calls in question: whole groups, and single calls out of those that began before."""
    values: dict[str, object] = {}
    where = "1"
    if sessions is not None:
        where = "session IN (SELECT value FROM json_each(:sessions))"
        values["sessions"] = msgspec.json.encode(list(sessions)).decode()
    if since is None:
        return f"SELECT {', '.join(_COLUMNS)} FROM call_groups WHERE {where}", values  # noqa: S608 - names of ours
    values["since"] = since
    single = {"calls": "1", "unpriced": f"cost_nano IS NULL AND {_USED}"}
    cut = "SELECT id FROM call_groups WHERE started_at < :since AND last_at >= :since"
    return (
        f"SELECT {', '.join(_COLUMNS)} FROM call_groups WHERE started_at >= :since AND {where} "  # noqa: S608
        f"UNION ALL SELECT {', '.join([single.get(name, name) for name in _COLUMNS])} FROM calls "
        f"WHERE group_id IN ({cut}) AND started_at >= :since AND {where}",
        values,
    )


def _grouped(
    connection: sqlite3.Connection, by: Sequence[str], since: float | None, sessions: Sequence[str] | None
) -> list[UsageRow]:
    part, values = _part(since, sessions)
    names = [f"by_{place}" for place in range(len(by))]
    groups: list[str] = []
    for name, alias in zip(by, names, strict=True):
        groups.append(f"{_EXPRESSIONS.get(name, _LABEL.format(alias))} AS {alias}")
        values[alias] = name.removeprefix(TAG)
    sums = ", ".join(exact_sum(column) for column in (*_TOKENS, "cost_nano"))
    sql = (
        f"WITH part AS ({part}) "  # noqa: S608 - names of ours
        f"SELECT {', '.join([*groups, 'estimated'])}, SUM(calls) AS calls, "
        f"SUM(calls * (outcome NOT IN ('{OK}', '{CANCELLED}'))) AS failed, "
        f"SUM(unpriced) AS unpriced, {sums} "
        f"FROM part GROUP BY {', '.join([*names, 'estimated'])} "
        f"ORDER BY {', '.join([*names, 'estimated'])}"
    )
    rows: dict[tuple[str, ...], UsageRow] = {}
    for found in connection.execute(sql, values):
        key = tuple(str(found[name]) for name in names)
        rows[key] = _with_part(rows.get(key) or UsageRow(by=dict(zip(by, key, strict=True))), found)
    return list(rows.values())


def _with_part(row: UsageRow, found: sqlite3.Row) -> UsageRow:
    part = Part(
        calls=found["calls"],
        usage=Usage(**{name: exact(found, name) for name in _TOKENS}),
        cost_nano=exact(found, "cost_nano"),
    )
    which = {"estimated": row.estimated + part} if found["estimated"] else {"final": row.final + part}
    return msgspec.structs.replace(
        row, failed=row.failed + found["failed"], unpriced=row.unpriced + found["unpriced"], **which
    )


def _newest_session(connection: sqlite3.Connection) -> str:
    for sql in (
        "SELECT id FROM sessions ORDER BY created_at DESC, id DESC LIMIT 1",
        "SELECT session AS id FROM call_groups ORDER BY last_at DESC LIMIT 1",
    ):
        row = connection.execute(sql).fetchone()
        if row is not None:
            return str(row["id"])
    return ""
