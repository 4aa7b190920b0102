"""Connections to upstreams, kept alive between calls, newest used first. `opening` makes new ones."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import astuple

from moor.gateway.connector import Connector
from moor.gateway.opening import open_connection
from moor.gateway.outbound import Outbound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from moor.clock import Clock
    from moor.domain.models import Target
    from moor.errors.base import MoorError
    from moor.gateway.limits import Limits


class Borrower(Protocol):
    """Who waits for a connection."""

    def connected(self, outbound: Outbound) -> None:
        """Here it is."""
        ...

    def not_connected(self, error: MoorError) -> None:
        """There is none."""
        ...


class Pool:
    """All upstream connections of a process. Owns the tasks that open them; `close` ends everything at once."""

    def __init__(self, connector: Connector, limits: Limits, clock: Clock) -> None:
        self._connector = connector
        self._limits = limits
        self._monotonic: Callable[[], float] = clock.monotonic
        self._idle: dict[tuple[str, str, int], deque[Outbound]] = {}
        self._all: set[Outbound] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, target: Target) -> Outbound | None:
        """An idle connection to the target's host, or None."""
        idle = self._idle.get(astuple(target)[:3])  # scheme, host and port: by name they cost three times as much
        while idle:
            outbound = idle.pop()
            if outbound.usable:
                outbound.reused = True
                return outbound
        return None

    def open(self, target: Target, tls: ssl.SSLContext | None, borrower: Borrower) -> asyncio.Task[None]:
        """Open a fresh connection; the borrower is told. Cancel the task when it is wanted no longer."""
        task = asyncio.get_running_loop().create_task(
            open_connection(self, self._connector, self._limits, target, tls, borrower)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def register(self, outbound: Outbound) -> None:
        """A connection was made."""
        self._all.add(outbound)

    def forget(self, outbound: Outbound) -> None:
        """A connection is gone."""
        self._all.discard(outbound)
        idle = self._idle.get(outbound.key)
        if idle and outbound in idle:
            idle.remove(outbound)

    def give_back(self, outbound: Outbound) -> None:
        """A connection is free for the next call."""
        idle = self._idle.get(outbound.key)
        if idle is None:
            idle = self._idle[outbound.key] = deque()
        if len(idle) >= self._limits.pool_idle:
            idle.popleft().abort()
        outbound.idle_since = self._monotonic()
        idle.append(outbound)

    def expire(self, now: float) -> None:
        """Close connections that were idle for too long."""
        for idle in self._idle.values():
            while idle and now - idle[0].idle_since > self._limits.pool_idle_s:
                idle.popleft().abort()

    def close(self) -> None:
        """End all connections and attempts."""
        for task in list(self._tasks):
            task.cancel()
        for outbound in list(self._all):
            outbound.abort()
        self._idle.clear()
