"""`~/.moor` or `MOOR_HOME`: where everything of moor's lives, owner only (design, decision 11).

Reading paths does no I/O; `ensure()` creates and checks. Nothing here is imported beyond os and pathlib:
every launch passes this file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moor.errors.store import HomeForeignError, HomeUnwritableError, SocketFolderError, storage_error

UNIX_PATH_MAX: Final = 107
"""bytes of a Unix socket path that Linux takes (macOS: 103)"""
_LONGEST_SOCKET: Final = "ses_0123456789abcdef.sock"
_FOLDER_MODE: Final = 0o700


class Home:
    """Paths of one home. `uid`: who must own it."""

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None, uid: int | None = None) -> None:
        self.root = root
        self.uid = os.geteuid() if uid is None else uid
        self._environ = dict(environ or {})
        self.config_path = root / "config.toml"
        self.db_path = root / "moor.db"
        self.credentials_path = root / "credentials.json"
        self.agents_dir = root / "agents"
        self.log_dir = root / "log"
        self.catalogues_dir = root / "catalogues"
        self.sessions_dir = root / "sessions"
        self.locks_dir = root / "locks"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Home:
        """The home that `MOOR_HOME` names, else `~/.moor`; not created. Raises HomeUnwritableError."""
        named = environ.get("MOOR_HOME", "")
        try:
            root = Path(named).expanduser() if named else _user_home(environ) / ".moor"
        except RuntimeError as error:  # pathlib's word for: no such user, no home
            raise HomeUnwritableError(path=named or "~/.moor", reason=str(error)) from error
        return cls(Path(os.path.abspath(root)), environ)  # noqa: PTH100 - resolve() would follow links

    def ensure(self) -> None:
        """Create the home, 0700, and check that it is ours and can be written.

        Raises HomeForeignError, HomeUnwritableError, DiskFullError.
        """
        self._private_dir(self.root)
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise HomeUnwritableError(path=self.root, reason="not writable: read-only, or without permission")

    def folder(self, path: Path) -> Path:
        """A private folder (0700) inside the home, created with the home where missing."""
        self.ensure()
        self._private_dir(path)
        return path

    def session_dir(self, session_id: str) -> Path:
        """The private folder of one session, created; removed when the session ends."""
        self.folder(self.sessions_dir)
        return self.folder(self.sessions_dir / session_id)

    def socket_dir(self) -> Path:
        """A private folder with a path short enough for Unix sockets, created. Raises SocketFolderError."""
        reasons: list[str] = []
        for path in self._socket_places():
            problem = self._socket_problem(path)
            if not problem:
                return path
            reasons.append(f"{path}: {problem}")
        raise SocketFolderError(path=path, reason="; ".join(reasons))

    def _socket_places(self) -> list[Path]:
        places: list[Path] = []
        runtime = self._environ.get("XDG_RUNTIME_DIR", "")
        if runtime.startswith("/") and Path(runtime).is_dir():
            places.append(Path(runtime) / "moor")
        temporary = self._environ.get("TMPDIR", "")
        tails = dict.fromkeys([temporary if temporary.startswith("/") else "/tmp", "/tmp"])  # noqa: S108
        return places + [Path(tail) / f"moor-{self.uid}" for tail in tails]

    def _socket_problem(self, path: Path) -> str:
        if len(os.fsencode(path / _LONGEST_SOCKET)) > UNIX_PATH_MAX:
            return f"longer than {UNIX_PATH_MAX} bytes with a socket's name"
        try:
            path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            seen = path.lstat()
        except OSError as error:
            return error.strerror or str(error)
        if not stat.S_ISDIR(seen.st_mode):
            return "not a folder"
        if seen.st_uid != self.uid:
            return f"belongs to user id {seen.st_uid}"
        if stat.S_IMODE(seen.st_mode) != _FOLDER_MODE:
            path.chmod(_FOLDER_MODE)
        return ""

    def _private_dir(self, path: Path) -> None:
        try:
            path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            seen = path.stat()
            if seen.st_uid == self.uid and stat.S_IMODE(seen.st_mode) & 0o077:
                path.chmod(_FOLDER_MODE)
        except FileExistsError as error:
            raise HomeUnwritableError(path=path, reason="there is something that is not a folder") from error
        except OSError as error:
            raise storage_error(error, path) or HomeUnwritableError(path=path, reason=str(error)) from error
        if seen.st_uid != self.uid:
            raise HomeForeignError(path=path, owner=seen.st_uid, uid=self.uid)


def _user_home(environ: Mapping[str, str]) -> Path:
    """HOME where it is an absolute path, else what the user database says."""
    home = environ.get("HOME", "")
    return Path(home) if home.startswith("/") else Path("~").expanduser()
