"""Sessions whose gateway and agent are both gone without having said so (kill -9, power, out of memory)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.domain.session import ENDED, STANDALONE, Session
from moor.run import proc
from moor.run.sweep import sweep
from moor.store.leavings import end_folder
from moor.store.sessions import SessionStore

if TYPE_CHECKING:
    from moor.clock import Clock
    from moor.store.home import Home

YOUNG_S = 10.0
"""a session this young, whose gateway has not said its pid, may still be starting it"""


def end_lost_sessions(home: Home, clock: Clock) -> list[str]:
    """Sweep and close them; returns their ids. Cheap when there are none: one query, one look per active session.

    A session whose agent still runs is left alone, for a person may sit before it; `moor ps` says that its
    gateway is lost.
    """
    if not home.db_path.exists():
        return []
    store = SessionStore(home)
    try:
        lost = [session for session in store.all(active=True) if _is_lost(session, clock.now())]
        for session in lost:
            end_without_gateway(home, store, session, clock)
    finally:
        store.close()
    return [session.id for session in lost]


def end_without_gateway(home: Home, store: SessionStore, session: Session, clock: Clock) -> None:
    """Do what the session's gateway would have done at its end: stop what is left, remove its folder, say so."""
    sweep(session.id)
    end_folder(home.sessions_dir / session.id)
    store.update(session.id, status=ENDED, ended_at=clock.now(), outcome=session.outcome or "lost")


def _is_lost(session: Session, now: float) -> bool:
    starting = not session.gateway_pid and now - session.created_at < YOUNG_S
    if session.seen == STANDALONE or starting:
        return False
    gateway = proc.alive(session.gateway_pid, session.gateway_start)
    return not gateway and not proc.alive(session.pid, session.pid_start)
