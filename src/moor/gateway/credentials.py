"""The credential for one upstream, asked for off the loop and once at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from moor.errors.base import BugError, MoorError
from moor.errors.net import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moor.domain.credential import Credential, CredentialSource
    from moor.upstreams.base import Upstream

    Done = Callable[[Credential | MoorError], None]

_log = logging.getLogger(__name__)


class CredentialDesk:
    """Hands out credentials. `current` is free; `obtain` runs on a thread, shared by all who wait for it."""

    def __init__(self, name: str, source: CredentialSource, wait_s: float) -> None:
        self._name = name
        self._source = source
        self._wait_s = wait_s
        self._line: tuple[Credential, str, bytes] | None = None
        self._running: dict[str, asyncio.Future[Credential]] = {}
        self._tending = False
        self._problem: MoorError | None = None
        """why the credential could not be renewed ahead of need"""

    def header_line(self, form: str, credential: Credential) -> bytes:
        """The header line that carries the credential, in the form that the upstream wants; the one place on the
        wire where it is revealed. The last line is kept as long as the credential is the same object."""
        if self._line is None or self._line[0] is not credential or self._line[1] != form:
            self._line = (credential, form, _line(form, credential))
        return self._line[2]

    def current(self) -> Credential | None:
        """The credential in memory. One that is due is used as long as it surely lives, and renewed beside: no call
        waits for a place of sign-in that is slow or cannot be reached."""
        credential = self._source.current()
        if credential is None:
            credential = self._source.spare()
            if credential is not None and not self._running:
                self.obtain(None, _unheard)
        return credential

    def obtain(self, dead: Credential | None, done: Done) -> None:
        """Calls `done` once, with a live credential or the reason; at the latest after `wait_s` seconds."""
        if dead is not None:
            newer = self._source.current()
            if newer is not None and newer.generation != dead.generation:
                done(newer)
                return
        loop = asyncio.get_running_loop()
        future = self._future(loop, dead)
        once = _Once(done)
        timer = loop.call_later(self._wait_s, once, Unreachable(self._name, "no fresh credential in time"))

        def settled(finished: asyncio.Future[Credential]) -> None:
            timer.cancel()
            once(_outcome(finished))

        future.add_done_callback(settled)

    def tend(self, told: Callable[[MoorError | None], None]) -> None:
        """Renew ahead of need: called every few seconds, also while nobody calls. `told`: why that fails, None once
        it goes again; each only when it changes."""
        if self._tending or self._source.current() is not None:
            return
        self._tending = True

        def done(result: Credential | MoorError) -> None:
            self._tending = False
            problem = result if isinstance(result, MoorError) else None
            if (problem is None) != (self._problem is None):
                told(problem)
            self._problem = problem

        self.obtain(None, done)

    def _future(self, loop: asyncio.AbstractEventLoop, dead: Credential | None) -> asyncio.Future[Credential]:
        key = dead.generation if dead is not None else ""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = loop.create_future()
            running.add_done_callback(lambda _: self._running.pop(key, None))
            threading.Thread(
                target=self._work, args=(loop, running, dead), name=f"moor-credential-{self._name}", daemon=True
            ).start()
        return running

    def _work(
        self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Credential], dead: Credential | None
    ) -> None:
        result: Credential | MoorError
        try:
            result = self._source.obtain(dead)
        except MoorError as error:
            result = error
        except Exception as error:  # noqa: BLE001 - the thread's boundary: the call must be answered
            _log.exception("asking for a credential of %s failed", self._name)
            result = BugError(f"asking for a credential failed: {type(error).__name__}")
        try:
            loop.call_soon_threadsafe(_settle, future, result)
        except RuntimeError:
            _log.info("the gateway ended before the credential of %s came", self._name)


def finish_renewals(upstreams: Mapping[str, Upstream]) -> None:
    """At the end of the process, off the loop: a refresh token that was presented is spent, so that its answer must
    reach the disk, or the person has to sign in again."""
    for name, upstream in upstreams.items():
        if not upstream.credential().finish():
            _log.error("the sign-in to %s may be lost: its renewal took too long for the end", name)


def _line(form: str, credential: Credential) -> bytes:
    if form == "none" or not credential.secret:
        return b""
    value = credential.secret.reveal().encode("latin-1", "replace")
    if form == "bearer":
        return b"authorization: Bearer %s\r\n" % value
    return b"%s: %s\r\n" % (form.encode("ascii"), value)


def _unheard(_: Credential | MoorError) -> None:
    """Nobody waits for it; `tend` tells of what lasts."""


class _Once:
    """A callback that runs the first time only."""

    def __init__(self, done: Done) -> None:
        self._done: Done | None = done

    def __call__(self, result: Credential | MoorError) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(result)


def _settle(future: asyncio.Future[Credential], result: Credential | MoorError) -> None:
    if future.done():
        return
    if isinstance(result, MoorError):
        future.set_exception(result)
    else:
        future.set_result(result)


def _outcome(future: asyncio.Future[Credential]) -> Credential | MoorError:
    if future.cancelled():
        return Unreachable("gateway", "it is ending")
    error = future.exception()
    if error is None:
        return future.result()
    return error if isinstance(error, MoorError) else BugError(str(error))
