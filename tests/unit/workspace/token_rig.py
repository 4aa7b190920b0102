"""A store in memory and a token endpoint with rotation, for the tests of self-renewing credentials."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moor.clock import ManualClock
from moor.errors.auth import RefreshRefused
from moor.errors.base import MoorError
from moor.errors.store import DiskFullError
from moor.secrets import Secret
from moor.store.credentials import StoredCredential
from moor.workspace.kinds import OAUTH

HOST = "https://ws.example"


class DictVault:
    """A store in memory that notes what happened."""

    def __init__(self, stored: StoredCredential | None = None) -> None:
        self.stored = stored
        self.saved: list[StoredCredential] = []
        self.full = False
        self._lock = threading.Lock()

    def load(self, upstream: str) -> StoredCredential | None:
        return self.stored

    def save(self, upstream: str, credential: StoredCredential) -> None:
        if self.full:
            raise DiskFullError(path="credentials.json")
        self.saved.append(credential)
        self.stored = credential

    @contextmanager
    def refresh_lock(self, upstream: str, timeout_s: float = 30.0) -> Iterator[None]:
        with self._lock:
            yield


class Endpoint:
    """A token endpoint with rotation: each refresh token works once."""

    def __init__(self, clock: ManualClock, life_s: float = 3600.0) -> None:
        self.clock = clock
        self.life_s = life_s
        self.number = 0
        self.presented: list[str] = []
        self.fault: Callable[[], MoorError | None] = lambda: None
        self.valid = "r0"

    def first(self) -> StoredCredential:
        return self._made()

    def renew(self, stored: StoredCredential) -> StoredCredential:
        token = stored.refresh_token.reveal() if stored.refresh_token else ""
        self.presented.append(token)
        if error := self.fault():
            raise error
        if token != self.valid:
            raise RefreshRefused(HOST, "invalid_grant", "Refresh token is invalid")
        self.number += 1
        self.valid = f"r{self.number}"
        return self._made()

    def _made(self) -> StoredCredential:
        now = self.clock.now()
        return StoredCredential(
            kind=OAUTH,
            access_token=Secret(f"a{self.number}"),
            refresh_token=Secret(f"r{self.number}"),
            expires_at=now + self.life_s,
            host=HOST,
            generation=f"g{self.number}",
            saved_at=now,
        )
