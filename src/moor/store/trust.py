"""Which repositories the user let in by `moor trust`, and for exactly which content."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from moor.clock import Clock, SystemClock
from moor.store.db import opened, transaction
from moor.store.home import Home


class Trusted(msgspec.Struct, frozen=True):
    """One repository that was let in."""

    repo_root: str
    digest: str
    """hash over what was let in; another content is not trusted"""
    trusted_at: float


class TrustStore:
    """Each method opens the database, does its one step and closes it. BLOCKS."""

    def __init__(self, home: Home, clock: Clock | None = None) -> None:
        self._home = home
        self._clock = clock or SystemClock()

    def is_trusted(self, repo_root: Path, digest: str) -> bool:
        """Whether exactly this content of this repository was let in. A home without a database trusts nothing."""
        return bool(digest) and self.digest(repo_root) == digest

    def digest(self, repo_root: Path) -> str:
        """The hash of what was let in of this repository; empty: nothing was."""
        if not self._home.db_path.exists():
            return ""
        with opened(self._home, write=False) as connection:
            row = connection.execute("SELECT digest FROM trust WHERE repo_root = ?", (_name(repo_root),)).fetchone()
        return "" if row is None else str(row["digest"])

    def trust(self, repo_root: Path, digest: str) -> None:
        """Let this content in; it replaces what was let in before."""
        values = (_name(repo_root), digest, self._clock.now())
        with opened(self._home) as connection, transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO trust (repo_root, digest, trusted_at) VALUES (?, ?, ?)", values
            )

    def revoke(self, repo_root: Path) -> bool:
        """Let it in no longer; False when it was not."""
        with opened(self._home) as connection, transaction(connection):
            cursor = connection.execute("DELETE FROM trust WHERE repo_root = ?", (_name(repo_root),))
            return cursor.rowcount > 0

    def list(self) -> list[Trusted]:
        """All that are let in, by path."""
        with opened(self._home) as connection:
            rows = connection.execute("SELECT * FROM trust ORDER BY repo_root").fetchall()
        return [Trusted(row["repo_root"], row["digest"], row["trusted_at"]) for row in rows]


def _name(repo_root: Path) -> str:
    """The real path, so that a link to another place is not taken for this one; undecodable bytes kept."""
    return os.fsencode(os.path.realpath(repo_root)).decode("utf-8", "backslashreplace")
