"""How far the caps of a session are used, where somebody should know: its row, and the log."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from moor.errors.base import MoorError
from moor.gateway.budget import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from moor.domain.session import Session
    from moor.gateway.purse import Purse
    from moor.store.sessions import SessionStore

_log = logging.getLogger(__name__)


class Warnings:
    """Told by the purses, at 50, 80 and 95 percent. Used on the loop; writes on a thread."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    def alarm(self, session: Session) -> Callable[[str], None]:
        """What is told while the session's credential cannot be renewed."""

        def told(words: str) -> None:
            self._start(session.id, words)

        return told

    def told(self, session: Session, purse: Purse, step: int) -> None:
        """A cap has passed that percentage."""
        cap = purse.cap
        words = f"{step} % of the {cap.name} cap of {amount(cap, purse.limit)} is used"
        _log.warning("session %s: %s", session.id, words)
        self._start(session.id, words)

    def _start(self, session_id: str, words: str) -> None:
        task = asyncio.get_running_loop().create_task(self._write(session_id, words))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, session_id: str, words: str) -> None:
        try:
            await asyncio.to_thread(self._store.update, session_id, warning=words)
        except MoorError as error:
            _log.warning("the session's row could not be updated: %s", error)
