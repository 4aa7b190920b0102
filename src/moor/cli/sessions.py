"""Sessions as `moor ps` and `moor status` show them: the stored row, what is known of its processes, its sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from moor.domain.session import ENDED, STANDALONE, Session

if TYPE_CHECKING:
    from moor.clock import Clock
    from moor.ledger.report import UsageRow
    from moor.store.home import Home

LOST = "lost"
"""neither its gateway nor its agent runs, and nobody said that it ended"""
NO_GATEWAY = "gateway lost"
"""its agent still runs, but every model call of it fails"""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `moor ps`."""

    session: Session
    state: str
    age_s: float
    """since its start; of an ended one, how long it ran"""
    used: UsageRow


def seen_sessions(home: Home, clock: Clock, ended: bool = False, limit: int = 200) -> list[Seen]:
    """Sessions that run, newest first; with `ended` the others too. BLOCKS on SQLite.

    What a killed session left behind is swept on the way; it is shown once more, as lost.
    """
    from moor.launch.lost import end_lost_sessions
    from moor.ledger.report import UsageRow, session_rows
    from moor.store.sessions import SessionStore

    if not home.db_path.exists():
        return []
    lost = set(end_lost_sessions(home, clock))
    store = SessionStore(home)
    try:
        found = store.all(active=not (ended or lost), limit=limit)
    finally:
        store.close()
    shown = [one for one in found if ended or one.ended_at is None or one.id in lost]
    sums = session_rows(home, [one.id for one in shown])
    now = clock.now()
    return [
        Seen(
            session=one,
            state=LOST if one.id in lost else state_of(one),
            age_s=max(0.0, (one.ended_at or now) - one.created_at),
            used=sums.get(one.id, UsageRow()),
        )
        for one in shown
    ]


def state_of(session: Session) -> str:
    """What it is doing, corrected by a look at its processes."""
    from moor.run import proc

    if session.ended_at is not None or session.status == ENDED:
        return LOST if session.outcome == LOST else ENDED
    if not session.gateway_pid or session.seen == STANDALONE:
        return session.status
    if proc.alive(session.gateway_pid, session.gateway_start):
        return session.status
    return NO_GATEWAY if proc.alive(session.pid, session.pid_start) else LOST


def as_json(seen: Seen) -> dict[str, Any]:
    """The documented form of one session."""
    session, used = seen.session, seen.used.as_json()
    return {
        "id": session.id,
        "agent": session.agent,
        "state": seen.state,
        "seen": session.seen,
        "upstream": session.upstream,
        "model": session.model,
        "small_model": session.small_model,
        "cwd": session.cwd,
        "title": session.title,
        "parent": session.parent,
        "user": session.user,
        "repository": session.repository,
        "branch": session.branch,
        "warning": session.warning,
        "pid": session.pid,
        "gateway_pid": session.gateway_pid,
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "age_s": round(seen.age_s, 3),
        "outcome": session.outcome,
        "calls": seen.used.calls,
        "tokens": {name: used[name] for name in ("input", "output", "cache_read", "cache_write", "reasoning")},
        "cost_usd": used["cost_usd"],
    }


def age_text(seconds: float) -> str:
    """`42s`, `7m`, `3h 5m`, `2d 4h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"
