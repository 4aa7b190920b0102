"""The credential of an upstream, kept alive: sources for a stored sign-in, and for tokens fetched from elsewhere.

Rules (facts/databricks 1.2, 8.3): refresh ahead; one refresh at a time in all processes; read the store before;
the newest refresh token is on the disk before its access token is used; none is presented twice. A refresh whose
answer was lost is ambiguous: it is tried again only when the access token has ended, when nothing is left to lose.
So none is lost to the end of a process: a renewal that began is carried to its end, through Ctrl-C too.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

import msgspec

from moor.clock import Clock
from moor.domain.credential import Credential
from moor.errors.auth import RefreshRefused, SignInNeeded, SignInRefused
from moor.errors.base import MoorError
from moor.errors.net import TlsFailed, Unreachable
from moor.errors.upstream import RateLimited
from moor.store.credentials import StoredCredential
from moor.workspace.keeper import Keeper
from moor.workspace.kinds import OAUTH

LOCK_WAIT_S: Final = 9.0
"""with a refresh of at most 8 s this stays below the 20 s in which an agent must be told"""
FINISH_S: Final = 10.0
"""the longest that a process which ends is held by a renewal: a refresh and the write of its answer"""
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Vault(Protocol):
    """Where sign-ins are kept: `moor.store.credentials.CredentialStore`, or a dict in memory."""

    def load(self, upstream: str) -> StoredCredential | None:
        """The stored sign-in."""
        ...

    def save(self, upstream: str, credential: StoredCredential) -> None:
        """Replace it, on the disk when this returns."""
        ...

    def refresh_lock(self, upstream: str, timeout_s: float = 30.0) -> AbstractContextManager[None]:
        """Held by the one that refreshes."""
        ...


Renew = Callable[[StoredCredential], StoredCredential]
"""Presents the refresh token once; raises RefreshRefused, Unreachable or another MoorError. BLOCKS."""

Fetch = Callable[[bool], StoredCredential]
"""A token from elsewhere (CLI, profile, client credentials); True: the last one is dead. BLOCKS."""


class SingleFlight:
    """What both sources share: the slot in memory, and one caller at a time that does the work."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keeper = Keeper(clock)
        self._flight = threading.Lock()
        self._failures = 0
        self._failure: MoorError | None = None

    def current(self) -> Credential | None:
        """The credential in memory if it needs no refresh now; no I/O."""
        return self._keeper.current()

    def spare(self) -> Credential | None:
        """The credential in memory that is due, while it may be used until its refresh is through; no I/O."""
        return self._keeper.spare()

    def obtain(self, dead: Credential | None = None) -> Credential:
        """A live credential; BLOCKS. Callers that waited while another one failed get the same failure."""
        failures = self._failures
        with self._flight:
            held = self._keeper.current()
            if held is not None and _differs(held.generation, dead):
                return held
            if self._failure is not None and self._failures != failures:
                raise self._failure
            try:
                return self._work(dead)
            except MoorError as error:
                self._failure = error
                self._failures += 1
                raise

    def finish(self, within_s: float = FINISH_S) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing is lost when a fetch is broken off."""
        return True

    def _work(self, dead: Credential | None) -> Credential:
        raise NotImplementedError

    def _adopt(self, stored: StoredCredential) -> Credential:
        held = self._keeper.living()
        if held is not None and held.generation == stored.generation:
            return held
        credential = Credential(stored.access_token, stored.generation, stored.expires_at)
        return self._keeper.adopt(credential, stored.saved_at)

    def _fall_back(self, dead: Credential | None) -> Credential | None:
        """After a failure: the credential that is due but still lives."""
        living = self._keeper.living()
        if living is None or not _differs(living.generation, dead):
            return None
        self._keeper.postpone()
        return living


class StoredSource(SingleFlight):
    """A sign-in in the store: OAuth with its refresh token, or a pasted token without one."""

    def __init__(self, upstream: str, host: str, vault: Vault, renew: Renew, clock: Clock, command: str = "") -> None:
        super().__init__(clock)
        self._upstream = upstream
        self._host = host
        self._vault = vault
        self._renew_at_host = renew
        self._command = command
        self._renewing = threading.Lock()
        self._finished = False

    def finish(self, within_s: float = FINISH_S) -> bool:
        """Before the process ends: waits for a renewal that began, and lets none begin. False: it takes longer."""
        if not self._renewing.acquire(timeout=within_s):
            return False
        self._finished = True
        self._renewing.release()
        return True

    def _work(self, dead: Credential | None) -> Credential:
        stored = self._load()
        if usable := self._usable(stored, dead):
            return usable
        self._refuse_without_refresh(stored, dead)
        try:
            with self._vault.refresh_lock(self._upstream, LOCK_WAIT_S):
                stored = self._load()
                if usable := self._usable(stored, dead):
                    return usable
                with self._unbroken():
                    return self._renew(stored, dead)
        except MoorError:
            # due but alive: the work goes on, and the next refresh is tried in some seconds
            if living := self._fall_back(dead):
                return living
            raise

    def _load(self) -> StoredCredential:
        stored = self._vault.load(self._upstream)
        if stored is None:
            raise SignInNeeded(self._upstream, "nobody is signed in", self._command)
        if self._host and stored.host and stored.host != self._host:
            raise SignInNeeded(self._upstream, f"the stored sign-in is for {stored.host}", self._command)
        return stored

    def _usable(self, stored: StoredCredential, dead: Credential | None) -> Credential | None:
        """The stored credential, adopted, unless it is due or the one that just died."""
        if not _differs(stored.generation, dead):
            return None
        self._adopt(stored)
        if not stored.refresh_token:
            return self._keeper.living()
        return self._keeper.current()

    def _refuse_without_refresh(self, stored: StoredCredential, dead: Credential | None) -> None:
        if stored.refresh_token:
            return
        reason = "the session has ended" if stored.kind == OAUTH else "its token is no longer accepted"
        if dead is None and stored.expires_at is not None:
            reason = "its token has expired"
        raise SignInNeeded(self._upstream, reason, self._command)

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        """What is in the block is carried to its end. Signals that end this process wait for it where they are for
        this thread; a gateway, whose main thread takes them, calls `finish`."""
        with self._renewing:
            if self._finished:
                raise Unreachable(self._upstream, "this process ends")
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _renew(self, stored: StoredCredential, dead: Credential | None) -> Credential:
        self._refuse_without_refresh(stored, dead)
        if stored.presented_at and (living := self._fall_back(dead)):
            return living  # its answer was lost: it may be spent, and what lives must not be put at risk
        # marking it first also proves that the disk takes the answer: a rotated token must not meet a full disk
        marked = msgspec.structs.replace(stored, presented_at=self._clock.now())
        self._vault.save(self._upstream, marked)
        try:
            fresh = self._renew_at_host(stored)
        except RefreshRefused as refusal:
            return self._after_refusal(stored, refusal, dead)
        except MoorError as error:
            if not _may_have_arrived(error):
                self._vault.save(self._upstream, stored)
            raise
        self._vault.save(self._upstream, fresh)
        return self._adopt(fresh)

    def _after_refusal(
        self, presented: StoredCredential, refusal: RefreshRefused, dead: Credential | None
    ) -> Credential:
        """Read the store once more: a sign-in may have replaced the token meanwhile. Else it is spent for all."""
        newer = self._load()
        if newer.generation != presented.generation:
            return self._adopt(newer)
        end = presented.expires_at if dead is None else self._clock.now()
        spent = msgspec.structs.replace(presented, refresh_token=None, presented_at=0.0, expires_at=end)
        self._vault.save(self._upstream, spent)
        raise SignInNeeded(self._upstream, "the session has ended", self._command) from refusal


class FetchedSource(SingleFlight):
    """Tokens that somebody else keeps: fetched when due, held in memory, stored nowhere."""

    def __init__(self, upstream: str, fetch: Fetch, clock: Clock, command: str = "") -> None:
        super().__init__(clock)
        self._upstream = upstream
        self._fetch = fetch
        self._command = command

    def _work(self, dead: Credential | None) -> Credential:
        try:
            fetched = self._fetch(dead is not None)
        except MoorError:
            if living := self._fall_back(dead):
                return living
            raise
        if dead is not None and fetched.access_token == dead.secret:
            raise SignInNeeded(self._upstream, "its token is no longer accepted", self._command)
        return self._adopt(fetched)


def _may_have_arrived(error: MoorError) -> bool:
    """Whether the refresh token may be spent although no new one came."""
    if isinstance(error, Unreachable):
        return error.arrived
    return not isinstance(error, (TlsFailed, RateLimited, SignInRefused))


def _differs(generation: str, dead: Credential | None) -> bool:
    return dead is None or generation != dead.generation
