"""What the gateway is handed: where keys are looked up, where rows go, what was spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Set

    from moor.domain.call import Call
    from moor.domain.session import Session


class KeyLookup(Protocol):
    """Who a key belongs to."""

    def find(self, key_hash: str) -> Session | None:
        """The session of the key with that SHA-256 (hex), or None. Called on the loop: does no I/O."""
        ...

    @property
    def revoked(self) -> Set[str]:
        """SHA-256 of keys that have ended since they were let in: their calls end too. Not of those that cannot be
        looked up now."""
        ...


class LedgerSink(Protocol):
    """Where rows of calls go; `moor.ledger.writer.LedgerWriter` in earnest."""

    @property
    def healthy(self) -> bool:
        """Whether rows reach the disk; without that no further call is let through."""
        ...

    def put(self, call: Call) -> None:
        """Take a row; never blocks."""
        ...


class SessionKeys:
    """The keys of sessions that are known from the start: one for a launch, several in a server."""

    def __init__(self, sessions: list[Session]) -> None:
        self._sessions = {session.key_hash: session for session in sessions if session.key_hash}
        self.revoked: set[str] = set()

    def find(self, key_hash: str) -> Session | None:
        """The session of that key. A lookup by the hash of a random key tells nothing by its timing."""
        return self._sessions.get(key_hash)

    def add(self, session: Session) -> None:
        """Let a further session in."""
        self._sessions[session.key_hash] = session
        self.revoked.discard(session.key_hash)

    def remove(self, session: Session) -> None:
        """The key is dead with its session."""
        self._sessions.pop(session.key_hash, None)
        self.revoked.add(session.key_hash)
