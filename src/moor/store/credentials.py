"""Credentials of upstreams: one 0600 file, changed under a lock and replaced whole.

Several processes and several upstreams at once: each change reads the newest file under the lock and
touches its own entry only, so no other upstream's refresh token is lost.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.errors.store import HomeForeignError, StateBrokenError, StateNewerError
from moor.secrets import Secret
from moor.store.files import file_name, locked, read_bounded, write_private
from moor.store.home import Home

_VERSION: Final = 1
_MAX_BYTES: Final = 4 * 1024 * 1024


class StoredCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one sign-in. Its repr shows no secret."""

    kind: str
    """`oauth`, `pat` or `m2m`"""
    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: float | None = None
    """seconds since the epoch; None: not known to end"""
    host: str = ""
    user: str = ""
    client_id: str = ""
    generation: str = ""
    """changes whenever the token is replaced"""
    saved_at: float = 0.0
    presented_at: float = 0.0
    """when the refresh token was last sent without a known answer; 0: never"""


class _File(msgspec.Struct):
    version: int = _VERSION
    credentials: dict[str, msgspec.Raw] = {}


class CredentialStore:
    """`~/.moor/credentials.json`. All methods BLOCK on files."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = home.credentials_path

    def load(self, upstream: str) -> StoredCredential | None:
        """The credential of that upstream; None when there is none.

        Raises StateBrokenError, StateNewerError, HomeForeignError, FileUnreadableError.
        """
        raw = self._read().credentials.get(upstream)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=StoredCredential, dec_hook=_decode_secret)
        except msgspec.MsgspecError as error:
            raise StateBrokenError(path=self._path, reason=f"entry {upstream}: {error}") from None

    def save(self, upstream: str, credential: StoredCredential) -> None:
        """Replace the upstream's entry; on the disk when this returns."""
        raw = msgspec.Raw(msgspec.json.encode(credential, enc_hook=_encode_secret))
        with self._changing() as file:
            file.credentials[upstream] = raw

    def remove(self, upstream: str) -> bool:
        """Forget the upstream's entry; False when there was none."""
        if upstream not in self._read().credentials:
            return False
        with self._changing() as file:
            return file.credentials.pop(upstream, None) is not None

    def names(self) -> list[str]:
        """Upstreams that have an entry, sorted."""
        return sorted(self._read().credentials)

    @contextmanager
    def refresh_lock(self, upstream: str, timeout_s: float = 30.0) -> Iterator[None]:
        """Held by the one thread of the one process that refreshes this upstream's token.

        Dropped by the kernel when its holder dies. Raises LockTimeoutError.
        """
        self._home.folder(self._home.locks_dir)
        with locked(self._home.locks_dir / f"refresh-{file_name(upstream)}.lock", timeout_s):
            yield

    @contextmanager
    def _changing(self) -> Iterator[_File]:
        self._home.folder(self._home.locks_dir)
        with locked(self._home.locks_dir / "credentials.lock"):
            file = self._read()
            yield file
            write_private(self._path, msgspec.json.encode(file))

    def _read(self) -> _File:
        _keep_private(self._path, self._home.uid)
        data = read_bounded(self._path, _MAX_BYTES)
        if data is None:
            return _File(credentials={})
        try:
            file = msgspec.json.decode(data, type=_File)
        except msgspec.MsgspecError as error:
            raise StateBrokenError(path=self._path, reason=str(error)) from None
        if file.version != _VERSION:
            raise StateNewerError(path=self._path, found=str(file.version), known=str(_VERSION))
        return file


def _keep_private(path: Path, uid: int) -> None:
    try:
        seen = path.stat()
    except OSError:
        return  # absent, or the read that follows says what is wrong
    if seen.st_uid != uid:
        raise HomeForeignError(path=path, owner=seen.st_uid, uid=uid)
    if stat.S_IMODE(seen.st_mode) & 0o077:
        os.chmod(path, 0o600)  # noqa: PTH101 - a copy or a restore widened it


def _encode_secret(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError


def _decode_secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError
