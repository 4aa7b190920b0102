"""A credential for an upstream: in memory and in one owner-only file, nowhere else."""

from __future__ import annotations

from typing import Protocol

from moor.secrets import Secret


class Credential:
    """A secret, its end of life, and a generation that changes whenever it is replaced."""

    __slots__ = ("expires_at", "generation", "secret")

    def __init__(self, secret: Secret, generation: str, expires_at: float | None = None) -> None:
        self.secret = secret
        self.generation = generation
        self.expires_at = expires_at
        """seconds since the epoch; None: not known to end"""


class CredentialSource(Protocol):
    """Where the gateway takes the credential for one upstream. Thread-safe."""

    def current(self) -> Credential | None:
        """The credential in memory if it needs no refresh now; does no I/O and never blocks."""
        ...

    def spare(self) -> Credential | None:
        """The credential in memory that should be replaced, while it has long enough to live to be used meanwhile;
        does no I/O and never blocks."""
        ...

    def obtain(self, dead: Credential | None = None) -> Credential:
        """A live credential; BLOCKS (files, locks, network): call it on a thread.

        `dead`: the credential an upstream just refused; one forced refresh is made unless another
        process replaced it already. Single flight across threads and processes. Never opens a browser.
        Raises SignInNeeded (exit 3) or Unreachable (exit 4).
        """
        ...

    def finish(self, within_s: float = ...) -> bool:
        """Before this process ends: BLOCKS until nothing begun can be lost by it; nothing is begun after.

        False when that takes longer than `within_s` seconds.
        """
        ...
