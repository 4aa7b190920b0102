"""One row of the ledger: a model call that passed the gateway, whatever became of it."""

from __future__ import annotations

import msgspec

from moor.domain.usage import Usage

OK = "ok"
"""the upstream answered in full"""
ERROR = "error"
"""the upstream answered with an error, in the status or inside the stream"""
REFUSED = "refused"
"""moor refused it: allowlist, budget, bad request; nothing went upstream"""
CANCELLED = "cancelled"
"""the agent left before the end"""
CUT = "cut"
"""the upstream's answer ended before its end"""
UNREACHABLE = "unreachable"
"""no answer could be had"""

OUTCOMES = (OK, ERROR, REFUSED, CANCELLED, CUT, UNREACHABLE)


class Try(msgspec.Struct, frozen=True, array_like=True):
    """One attempt that brought no answer."""

    model: str
    upstream: str
    status: int
    """the upstream's; 0 where it gave none"""
    ms: int
    """until it failed"""
    why: str
    """reference word"""


class Call(msgspec.Struct, frozen=True):
    """Append-only. Times in seconds since the epoch and milliseconds; money in nano-dollars.

    First what most calls of a session have in common: the ledger stores that once for many rows.
    """

    id: str
    session: str
    """session id, or the id of the stand-alone key"""
    agent: str = ""
    agent_session: str = ""
    """the agent's own session id, from its headers"""
    parent_session: str = ""
    """the agent's own parent session: set for a sub-agent's call"""
    upstream: str = ""
    dialect: str = ""
    model: str = ""
    """as the agent asked"""
    asked: str = ""
    """the model the agent asked for, where the wire put another in its place"""
    status: int = 0
    """HTTP status the agent saw; 0 when it left first"""
    outcome: str = OK
    error: str = ""
    """reference word and sentence, without credentials"""
    attempts: int = 1
    stream: bool = False
    estimated: bool = False
    """the final usage never came; `usage` is an estimate"""
    price_source: str = ""
    price_date: str = ""
    rules: tuple[str, ...] = ()
    """the filters that changed something, by name"""
    tags: dict[str, str] = {}
    started_at: float = 0.0
    first_byte_ms: int | None = None
    duration_ms: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    usage: Usage = Usage()
    cost_nano: int | None = None
    """None: no price known"""
    tries: tuple[Try, ...] = ()
    """the attempts that failed before it ended as it did"""
    draws: tuple[tuple[int, int], ...] = ()
    """(lease, amount): what it cost its process's leases; noted on them, not stored in the row"""
