"""The gateway alone: keys from the key store, re-read once a second, so that a revoked one dies at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from typing import TYPE_CHECKING, Final

from moor.domain.budget import SESSION, Cap
from moor.domain.session import STANDALONE, Session
from moor.domain.watch import Watch
from moor.gateway.credentials import finish_renewals
from moor.gateway.live import LiveFile
from moor.gateway.metrics import Metrics
from moor.gateway.payloads import PayloadLog
from moor.gateway.rates import Rates
from moor.gateway.server import Gateway
from moor.gateway.tuning import loop_factory, raise_allocator_thresholds
from moor.ledger.bank import LedgerBank
from moor.ledger.writer import LedgerWriter
from moor.store.keys import KeyStore, caps_of
from moor.store.learned import LearnedRules

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from moor.clock import Clock
    from moor.domain.policy import Policy
    from moor.store.home import Home
    from moor.store.keys import GatewayKey
    from moor.upstreams.base import Upstream

_log = logging.getLogger(__name__)
_READ_S: Final = 1.0
_GRACE_S: Final = 2.0


class StoreKeys:
    """Keys of the store as sessions. A thread of its own reads them; lookups see whole tables only.

    When the store cannot be read for `patience` readings in a row, no key is let in any more (fail closed).
    """

    def __init__(
        self,
        home: Home,
        *,
        upstream: str,
        policy: Policy,
        caps: tuple[Cap, ...] = (),
        watch: Watch | None = None,
        patience: int = 10,
    ) -> None:
        self._home = home
        self._store = KeyStore(home)
        self._upstream = upstream
        self._policy = policy
        self.watch = watch or Watch()
        self._policies = caps
        self._caps = tuple(cap for cap in caps if cap.per != SESSION)
        self._patience = patience
        self._failures = 0
        self._sessions: dict[str, Session] = {}
        self._rates: dict[str, Rates] = {}
        self._seen: set[str] = set()
        self.revoked: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="moor-keys", daemon=True)

    def start(self) -> None:
        """Read once (raises MoorError), then keep reading. BLOCKS for the first reading."""
        self.read()
        self._thread.start()

    def close(self) -> None:
        """End the thread; bounded by two seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def find(self, key_hash: str) -> Session | None:
        """The session of that key."""
        return self._sessions.get(key_hash)

    def rates(self, key_id: str) -> Rates | None:
        """The limits of that key."""
        return self._rates.get(key_id)

    @property
    def upstreams(self) -> set[str]:
        """Upstreams that the keys name."""
        return {session.upstream for session in self._sessions.values()}

    def read(self) -> None:
        """Take the table anew; a session that did not change stays the same object. BLOCKS on SQLite."""
        before = {session.id: session for session in self._sessions.values()}
        fresh: dict[str, Session] = {}
        rates: dict[str, Rates] = {}
        for key in self._store.active():
            session = self._session(key)
            known = before.get(key.id)
            fresh[key.key_hash] = known if known == session and known is not None else session
            if key.rpm is not None or key.tpm is not None:
                rates[key.id] = Rates(key.rpm, key.tpm)
        self._sessions, self._rates = fresh, rates
        self._seen |= fresh.keys()
        self.revoked = self._seen - fresh.keys()

    def _session(self, key: GatewayKey) -> Session:
        policy = self._policy
        for layer in key.policy.layers:
            policy = policy.narrowed(layer)
        upstream = key.upstream or self._upstream
        return Session(
            id=key.id,
            agent=key.name or key.id,
            cwd="",
            upstream=upstream,
            model="",
            seen=STANDALONE,
            policy=policy,
            caps=(
                *caps_of(key, upstream, self._policies),
                *(cap for cap in self._caps if cap.fits(upstream, key.id, key.tags)),
            ),
            watch=self.watch,
            tags=key.tags,
            key_hash=key.key_hash,
            created_at=key.created_at,
        )

    def _work(self) -> None:
        while not self._stop.wait(_READ_S):
            try:
                self.read()
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - a thread that ended would let revoked keys in for ever
                self._failures += 1
                _log.warning("the keys could not be read: %s", error)
                if self._failures >= self._patience:
                    self._sessions = {}


def serve(
    *,
    listening: socket.socket,
    home: Home,
    keys: StoreKeys,
    upstreams: Mapping[str, Upstream],
    clock: Clock,
    environ: Mapping[str, str],
    any_host: bool,
    ready: Callable[[], None],
) -> None:
    """Serve until Ctrl-C or a termination signal; `ready` is called once calls are taken. BLOCKS."""
    ledger = LedgerWriter(home)
    metrics = Metrics()
    payloads = PayloadLog(home, keys.watch.payload_mb) if keys.watch.payload_mb else None
    gateway = Gateway(
        sockets=[listening],
        keys=keys,
        upstreams=upstreams,
        ledger=ledger,
        clock=clock,
        environ=environ,
        any_host=any_host,
        bank=LedgerBank(home, clock),
        learned=lambda name: LearnedRules(home, name),
        payloads=payloads,
        metrics=metrics,
        rates=keys.rates,
    )
    metrics.running.set_function(lambda: gateway.running)
    metrics.connections.set_function(lambda: gateway.connections)
    raise_allocator_thresholds()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(gateway, LiveFile(home, gateway), ready))
    finally:
        keys.close()
        if payloads is not None:
            payloads.close()
        if ledger.close():
            gateway.purses.settle()
        finish_renewals(upstreams)


async def _serve(gateway: Gateway, live: LiveFile, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    await gateway.start()
    ready()
    telling = asyncio.ensure_future(live.run())
    try:
        await stop.wait()
    finally:
        telling.cancel()
        for number in numbers:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
        await gateway.close(_GRACE_S)
