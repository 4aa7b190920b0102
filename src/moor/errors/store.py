"""Errors about moor's own files and database: the home, the disk, locks, state of another version."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from moor.errors.base import ExitCode, MoorError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NEW_HOME_HINT = 'use another home: export MOOR_HOME="$HOME/moor-home"'
UPGRADE_HINT = "upgrade the older moor: pipx upgrade moorage  (or: uv tool upgrade moorage)"


class HomeUnwritableError(MoorError):
    """The home cannot be created or written: read-only, not permitted, not a folder, a loop of links."""

    ref = "home-unwritable"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: Path | str, reason: str) -> None:
        super().__init__(f"moor cannot write to {path}", context=reason, hint=NEW_HOME_HINT)
        self.path = str(path)
        self.reason = reason


class HomeForeignError(MoorError):
    """The home, or a file that must be private, belongs to another user."""

    ref = "home-foreign"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: Path | str, owner: int, uid: int) -> None:
        super().__init__(
            f"{path} belongs to another user",
            context=f"owner has user id {owner}, you have {uid}",
            hint=NEW_HOME_HINT,
        )
        self.path = str(path)
        self.owner = owner
        self.uid = uid


class DiskFullError(MoorError):
    """No space (or no quota) left where moor keeps its state. Nothing that was stored is lost."""

    ref = "disk-full"

    def __init__(self, *, path: Path | str) -> None:
        super().__init__(
            f"the disk is full: {path} was not written; what was stored before is unchanged",
            hint=f"free some space (df -h {_folder(path)}), then repeat the command",
        )
        self.path = str(path)


class FileUnreadableError(MoorError):
    """A file of moor's, or one named in its settings, cannot be read."""

    ref = "file-unreadable"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: Path | str, reason: str) -> None:
        super().__init__(f"{path} cannot be read", context=reason, hint=f"ls -ld {path}")
        self.path = str(path)
        self.reason = reason


class LockTimeoutError(MoorError):
    """Another process holds a lock for longer than we wait."""

    ref = "lock-timeout"

    def __init__(self, *, path: Path | str, waited_s: float) -> None:
        super().__init__(
            f"another process holds {path} for more than {waited_s:g} s",
            hint=f"see who holds it: fuser -v {path}  (then repeat the command)",
        )
        self.path = str(path)
        self.waited_s = waited_s


class StateNewerError(MoorError):
    """A newer moor wrote the state; this one must not change it."""

    ref = "state-newer"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: Path | str, found: str, known: str) -> None:
        super().__init__(
            f"{path} was written by a newer moor",
            context=f"its form is {found}, this moor knows {known}",
            hint=UPGRADE_HINT,
        )
        self.path = str(path)
        self.found = found
        self.known = known


class StateBrokenError(MoorError):
    """A state file is damaged. Moor leaves it as it is and says how to put it aside."""

    ref = "state-broken"

    def __init__(self, *, path: Path | str, reason: str) -> None:
        super().__init__(
            f"{path} is damaged", context=reason, hint=f"put it aside and start afresh: mv {path} {path}.broken"
        )
        self.path = str(path)
        self.reason = reason


class StateBusyError(MoorError):
    """The database stayed locked by other processes for longer than we wait."""

    ref = "state-busy"

    def __init__(self, *, path: Path | str) -> None:
        super().__init__(
            f"{path} is held by another process for more than 5 s",
            hint=f"see who holds it: fuser -v {path}  (then repeat the command)",
        )
        self.path = str(path)


class SocketFolderError(MoorError):
    """No private folder for control sockets: foreign owner, or the path is too long for a Unix socket."""

    ref = "socket-folder"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: Path | str, reason: str) -> None:
        super().__init__(
            f"moor has no safe place for its sockets: {path}",
            context=reason,
            hint="name a short private folder: export XDG_RUNTIME_DIR=/run/user/$(id -u)",
        )
        self.path = str(path)
        self.reason = reason


class KeyNameTakenError(MoorError):
    """An active gateway key has that name already."""

    ref = "key-name-taken"
    exit_code = ExitCode.USAGE

    def __init__(self, *, name: str) -> None:
        from shlex import quote

        super().__init__(f"there is an active key named {name!r}", hint=f"moor keys revoke {quote(name)}")
        self.name = name


class KeyUnknownError(MoorError):
    """No active gateway key has that id or name."""

    ref = "key-unknown"
    exit_code = ExitCode.USAGE

    def __init__(self, *, name: str) -> None:
        super().__init__(f"no active key has the id or name {name!r}", hint="moor keys list")
        self.name = name


_LEAST_FREE = 64 * 1024
"""bytes that SQLite's shared index and a page of its log take"""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EISDIR})


def storage_error(error: OSError, path: Path | str | None = None) -> MoorError | None:
    """The sentence for a full disk, a read-only or forbidden place; None for any other OSError."""
    where = path or error.filename or "a file"
    if error.errno in _FULL:
        return DiskFullError(path=where)
    if error.errno in _UNWRITABLE:
        return HomeUnwritableError(path=where, reason=error.strerror or str(error))
    return None


def database_error(error: sqlite3.Error, path: Path | str) -> MoorError:
    """What a failure of SQLite means for the user."""
    text = str(error)
    lowered = text.lower()
    if "full" in lowered or ("disk i/o" in lowered and disk_is_full(path)):
        return DiskFullError(path=path)
    if "locked" in lowered or "busy" in lowered:
        return StateBusyError(path=path)
    if any(word in lowered for word in ("readonly", "unable to open", "disk i/o")):
        return HomeUnwritableError(path=path, reason=text)
    return StateBrokenError(path=path, reason=text)


def disk_is_full(path: Path | str) -> bool:
    """Whether not even the files beside a database fit: SQLite then says no more than "disk I/O error"."""
    try:
        seen = os.statvfs(_folder(path))
    except OSError:
        return False
    read_only = bool(seen.f_flag & os.ST_RDONLY)
    return not read_only and (seen.f_bavail * seen.f_frsize < _LEAST_FREE or (seen.f_files > 0 and not seen.f_favail))


def _folder(path: Path | str) -> str:
    head, slash, _ = str(path).rpartition("/")
    return head + slash if slash else "."
