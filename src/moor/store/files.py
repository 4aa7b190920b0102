"""Files written whole or not at all, private where a secret is inside, and locks between processes.

A crash leaves either the old content or the new one: data goes to a temporary file in the same folder,
is flushed to the disk, and takes the name in one step.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from moor.errors.base import MoorError
from moor.errors.store import FileUnreadableError, LockTimeoutError, storage_error

_PRIVATE: Final = 0o600
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_POLL_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05)


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, 0600; a link of that name is replaced, not followed.

    Raises DiskFullError, HomeUnwritableError; the old content then still stands.
    """
    _replace(path, data, _PRIVATE)


def write_atomic(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace the file that `path` names, through links; `mode` None keeps the file's own (new: 0600).

    Raises DiskFullError, HomeUnwritableError; the old content then still stands.
    """
    real = Path(os.path.realpath(path))
    if mode is None:
        try:
            mode = stat.S_IMODE(real.stat().st_mode)
        except FileNotFoundError:
            mode = _PRIVATE
        except OSError as error:
            raise _named(error, path) from error
    _replace(real, data, mode)


def read_bounded(path: Path, max_bytes: int) -> bytes | None:
    """The content of a regular file; None when there is none.

    Raises FileUnreadableError: no permission, not a regular file (a FIFO would hang), above `max_bytes`.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileUnreadableError(path=path, reason=error.strerror or str(error)) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise FileUnreadableError(path=path, reason="not a regular file")
        with open(fd, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    finally:
        os.close(fd)
    if len(data) > max_bytes:
        raise FileUnreadableError(path=path, reason=f"larger than {max_bytes} bytes")
    return data


@contextmanager
def locked(path: Path, timeout_s: float = 30.0) -> Iterator[None]:
    """Hold the lock file `path` (created 0600) against other threads and processes.

    The kernel drops it when the process dies. BLOCKS up to `timeout_s`; raises LockTimeoutError.
    """
    fd = _lock_fd(path)
    try:
        _acquire(fd, path, timeout_s)
        yield
    finally:
        os.close(fd)


def file_name(name: str) -> str:
    """The name in a form that is one file name and no path; different names stay different."""
    if _PLAIN.fullmatch(name):
        return name
    from urllib.parse import quote

    return quote(name, safe="")


def remove_tree_private(path: Path) -> None:
    """Remove a folder of ours with all in it; a link is removed itself, never what it points at.

    A missing folder is fine. Raises HomeUnwritableError when something stays.
    """
    import shutil

    try:
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _named(error, path) from error


def _replace(path: Path, data: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(6).hex()}.new")
    try:
        _write_new(temporary, data, mode)
        os.replace(temporary, path)  # noqa: PTH105
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise _named(error, path) from error


def _write_new(path: Path, data: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if mode != _PRIVATE:
            os.fchmod(fd, mode)
        os.fsync(fd)
    finally:
        os.close(fd)


def _named(error: OSError, path: Path) -> MoorError | OSError:
    return storage_error(error, path) or error


def _lock_fd(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise _named(error, path) from error


def _acquire(fd: int, path: Path, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    turn = 0
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise LockTimeoutError(path=path, waited_s=timeout_s) from None
            time.sleep(_POLL_S[min(turn, len(_POLL_S) - 1)])
            turn += 1
        else:
            return
