"""What a session is doing, told by its calls: working while one runs, idle a moment after the last."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Final

from moor.domain.session import IDLE, TERMINAL, WORKING
from moor.errors.base import MoorError
from moor.run import proc

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.server import Gateway
    from moor.store.sessions import SessionStore

_log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0


class Activity:
    """Keeps the row of a session in a terminal up to date; a driven session is told by its driver instead."""

    def __init__(self, store: SessionStore, session: Session, gateway: Gateway) -> None:
        self._store = store
        self._session = session
        self._gateway = gateway
        self._told = ""

    async def announce(self) -> None:
        """Say who serves the session."""
        pid = os.getpid()
        await self._update(
            gateway_pid=pid,
            gateway_start=proc.start_time(pid) or 0.0,
            repository=self._session.repository,
            branch=self._session.branch,
        )

    async def run(self) -> None:
        """Look once a second; write only what changed. Ends when cancelled."""
        if self._session.seen != TERMINAL:
            return
        while True:
            status = WORKING if self._gateway.running else IDLE
            if status != self._told:
                self._told = status
                await self._update(status=status)
            await asyncio.sleep(_LOOK_S)

    async def _update(self, **fields: object) -> None:
        try:
            await asyncio.to_thread(self._store.update, self._session.id, **fields)
        except MoorError as error:
            _log.warning("the session's row could not be updated: %s", error)
