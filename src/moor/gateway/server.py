"""The gateway: agents' connections on sockets it is given, one closed table of routes, upstreams behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from typing import TYPE_CHECKING, cast

from moor.gateway.admit import Doorkeeper
from moor.gateway.connector import Connector
from moor.gateway.desk import Desk
from moor.gateway.inbound import Inbound
from moor.gateway.limits import Limits
from moor.gateway.places import Place
from moor.gateway.pool import Pool
from moor.gateway.purse import Bank, NoBank, PurseBook
from moor.gateway.repeat import KnownHeads
from moor.gateway.request import BodyStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moor.clock import Clock
    from moor.domain.session import Session
    from moor.gateway.exchange import Exchange
    from moor.gateway.live import Live
    from moor.gateway.metrics import Metrics
    from moor.gateway.payloads import PayloadLog
    from moor.gateway.ports import KeyLookup, LedgerSink
    from moor.gateway.purse import Purse
    from moor.gateway.rates import Rates
    from moor.store.learned import LearnedRules
    from moor.upstreams.base import Upstream

_log = logging.getLogger(__name__)


class Gateway:
    """Serves on listening sockets (TCP or Unix) that somebody else bound.

    `environ` names proxies for upstream connections. `any_host` accepts every Host header: for a gateway that
    was opened to other machines on purpose; else only loopback names with one of our ports are taken. `bank`: where
    slices of caps come from; without one a session with a cap is let nothing through. `told`: see PurseBook.
    `alarm`: told while a credential cannot be renewed, ahead of its end, and with an empty text afterwards.
    `learned`: where the repairs are kept that an upstream has shown to be needed.
    `metrics`: what `/metrics` tells; without it there is no such path. `rates`: limits of a session by its id.
    """

    def __init__(
        self,
        *,
        sockets: Sequence[socket.socket],
        keys: KeyLookup,
        upstreams: Mapping[str, Upstream],
        ledger: LedgerSink,
        clock: Clock,
        limits: Limits | None = None,
        environ: Mapping[str, str] | None = None,
        any_host: bool = False,
        bank: Bank | None = None,
        told: Callable[[Session, Purse, int], None] | None = None,
        alarm: Callable[[str], None] | None = None,
        learned: Callable[[str], LearnedRules] | None = None,
        payloads: PayloadLog | None = None,
        metrics: Metrics | None = None,
        rates: Callable[[str], Rates | None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self.bodies = BodyStore(self.limits.max_bodies)
        self.closing = False
        hosts = None if any_host else loopback_hosts(sockets)
        self._keys = keys
        self.doorkeeper = Doorkeeper(keys, hosts, self.limits.max_body)
        self.heads = KnownHeads()
        self._sockets = sockets
        self._alarm = alarm or _nobody
        self._tend_at = 0.0
        self._places = {
            name: Place(upstream, self.limits, clock, learned(name) if learned is not None else None)
            for name, upstream in upstreams.items()
        }
        self._pool = Pool(Connector(environ or {}), self.limits, clock)
        self.purses = PurseBook(bank or NoBank(), clock, told)
        self.desk = Desk(
            places=self._places,
            pool=self._pool,
            ledger=ledger,
            purses=self.purses,
            payloads=payloads,
            metrics=metrics,
            rates=rates,
            clock=clock,
            limits=self.limits,
        )
        self._connections: set[Inbound] = set()
        self._servers: list[asyncio.Server] = []
        self._tick: asyncio.TimerHandle | None = None
        self._drained = asyncio.Event()

    async def start(self) -> None:
        """Start the upstreams (on threads) and serve. The sockets' backlog holds what came before."""
        await asyncio.gather(*(asyncio.to_thread(place.start) for place in self._places.values()))
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            listening.setblocking(False)
            if listening.family == socket.AF_UNIX:
                server = await loop.create_unix_server(self._accept, sock=listening, backlog=self.limits.backlog)
            else:
                server = await loop.create_server(self._accept, sock=listening, backlog=self.limits.backlog)
            self._servers.append(server)
        for place in self._places.values():
            place.warm()
        self._tick = loop.call_later(self.limits.tick_s, self._check)
        # what is there now stays; it is not searched before, which would take as long as ten calls
        gc.freeze()
        gc.enable()

    async def close(self, grace_s: float = 1.0) -> None:
        """Stop accepting, let running calls end for `grace_s` seconds, end the rest. Idempotent."""
        self.closing = True
        for server in self._servers:
            server.close()
        running = [inbound for inbound in list(self._connections) if inbound.drain()]
        if running:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), grace_s)
        for inbound in list(self._connections):
            inbound.abort()
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self._pool.close()
        await asyncio.sleep(0)
        await self.purses.close()
        await asyncio.gather(*(asyncio.to_thread(place.upstream.close) for place in self._places.values()))

    @property
    def connections(self) -> int:
        """Agents' connections now."""
        return len(self._connections)

    @property
    def running(self) -> int:
        """Calls that run now."""
        return len(self._exchanges())

    def _exchanges(self) -> list[Exchange]:
        return [inbound.exchange for inbound in self._connections if inbound.exchange is not None]

    def live(self, pid: int, start: float) -> Live:
        """What it is doing now."""
        from moor.gateway.live import Live

        now = self.clock.monotonic()
        running = [exchange.live(now) for exchange in self._exchanges()]
        resting = [f"{name}/{model}" for name, place in self._places.items() for model in place.resting()]
        return Live(
            pid=pid,
            start=start,
            at=self.clock.now(),
            running=tuple(running),
            caps=tuple(self.purses.uses()),
            resting=tuple(resting),
        )

    def register(self, inbound: Inbound) -> bool:
        """Take a connection in; False when there are too many or the gateway is ending."""
        if self.closing or len(self._connections) >= self.limits.max_connections:
            return False
        self._connections.add(inbound)
        return True

    def forget(self, inbound: Inbound) -> None:
        """A connection is gone."""
        self._connections.discard(inbound)
        if self.closing and not self._connections:
            self._drained.set()

    def _accept(self) -> asyncio.Protocol:
        return cast("asyncio.Protocol", Inbound(self))

    def _check(self) -> None:
        now = self.clock.monotonic()
        for inbound in list(self._connections):
            inbound.check(now)
        if revoked := self._keys.revoked:
            for exchange in self._exchanges():
                exchange.end_with_key(revoked)
        self._pool.expire(now)
        if now >= self._tend_at and not self.closing:
            self._tend_at = now + self.limits.tend_s
            for place in self._places.values():
                place.tend(self._alarm)
        self._tick = asyncio.get_running_loop().call_later(self.limits.tick_s, self._check)


def _nobody(_: str) -> None:
    pass


def loopback_hosts(sockets: Sequence[socket.socket]) -> frozenset[bytes]:
    """The Host values that name us: loopback names with the port of one of the sockets."""
    hosts: set[bytes] = set()
    for listening in sockets:
        if listening.family == socket.AF_UNIX:
            hosts |= {b"localhost", b"127.0.0.1", b"[::1]"}
            continue
        port = listening.getsockname()[1]
        hosts |= {b"%s:%d" % (name, port) for name in (b"localhost", b"127.0.0.1", b"[::1]")}
    return frozenset(hosts)
