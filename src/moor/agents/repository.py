"""Reading a repository that nobody vouches for: bounded, fenced, links out of it refused, nothing executed.

Opened without following a link in the last part, and the opened file is asked where it lies, so that a link that
appears in between changes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

MAX_FILE_BYTES: Final = 256 * 1024
MAX_FILES: Final = 200
MAX_DEPTH: Final = 6


class Refused(ValueError):
    """The file is there, but it is not read; the message says why in one clause."""


class Repository:
    """One folder tree. `root`: the git work tree, else the folder itself."""

    def __init__(self, cwd: str) -> None:
        self.cwd = os.path.realpath(cwd)
        self.root = _root(self.cwd)
        self._fenced = True

    @classmethod
    def of_folder(cls, folder: str) -> Repository:
        """Exactly that folder, which is the user's own: links lead where the user let them lead."""
        own = cls(folder)
        own.root = own.cwd
        own._fenced = False
        return own

    def upward(self) -> list[str]:
        """Folders from the root down to the working directory."""
        folders = [self.cwd]
        while folders[-1] != self.root:
            folders.append(os.path.dirname(folders[-1]))  # noqa: PTH120
        return folders[::-1]

    def shown(self, path: str) -> str:
        """The path relative to the root, for people."""
        return os.path.relpath(path, self.root)

    def inside(self, path: str) -> bool:
        """Whether the path, links followed, lies in the tree."""
        real = os.path.realpath(path)
        return not self._fenced or real == self.root or real.startswith(self.root.rstrip("/") + "/")

    def read(self, path: str, max_bytes: int = MAX_FILE_BYTES) -> str | None:
        """The text of a regular file in the tree; None when there is none. Raises Refused."""
        data = self.read_bytes(path, max_bytes)
        if data is None:
            return None
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("it is not UTF-8 text") from error

    def read_bytes(self, path: str, max_bytes: int) -> bytes | None:
        """The same as bytes."""
        if not os.path.lexists(path):
            return None
        if not self.inside(path):
            raise Refused("it is a link out of the repository")
        try:
            fd = os.open(os.path.realpath(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise Refused(error.strerror or "it cannot be opened") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Refused("it is not a regular file")
        with open(fd, "rb") as file:  # noqa: PTH123
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise Refused(f"it is larger than {max_bytes // 1024} KiB")
        return data

    def files(self, folder: str, suffixes: tuple[str, ...] = ()) -> Iterator[str]:
        """Files below a folder, sorted, without following links to folders; at most MAX_FILES."""
        if self.inside(folder):
            wanted = (path for path in _below(folder) if not suffixes or path.name.endswith(suffixes))
            yield from map(str, islice(wanted, MAX_FILES))


def _below(folder: str) -> Iterator[Path]:
    """Files at most MAX_DEPTH folders down, sorted."""
    for top, folders, names in os.walk(folder):
        deep = os.path.relpath(top, folder).count(os.sep) >= MAX_DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if name not in (".git", "node_modules"))
        for name in sorted(names):
            yield Path(top, name)


def _root(cwd: str) -> str:
    start = Path(cwd)
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return str(folder)
    return cwd
