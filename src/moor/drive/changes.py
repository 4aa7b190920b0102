"""Which files a run changed: the work tree looked at before and after, with git where there is one.

Git says what differs from the last commit; a file that was dirty before counts as changed when its content differs.
Without git, sizes and times of up to 50,000 files are compared. BLOCKS: call it on a thread.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

_MAX_FILES: Final = 50_000
_MAX_HASHED_BYTES: Final = 8 * 1024 * 1024
_TIMEOUT_S: Final = 20
_SKIPPED: Final = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache", ".pytest_cache"})


class Snapshot(msgspec.Struct, frozen=True):
    """The state of a folder: path, relative to it, to a mark that differs when the file does."""

    root: str
    head: str
    """the commit, where git knows one; empty without git"""
    marks: dict[str, str]
    """with git: only what differs from `head`"""


def snapshot(root: str, environ: Mapping[str, str]) -> Snapshot:
    """The folder as it is now; empty marks where it cannot be read."""
    head = _git(root, environ, "rev-parse", "--verify", "-q", "HEAD")
    dirty = _git(root, environ, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    if head is None and dirty is None:
        return Snapshot(root, "", dict(_scan(root)))
    paths = [entry[3:] for entry in (dirty or "").split("\0") if len(entry) > 3]
    top = _git(root, environ, "rev-parse", "--show-toplevel")
    base = (top or root).strip()
    return Snapshot(base, (head or "").strip(), {path: _mark(Path(base, path)) for path in paths[:_MAX_FILES]})


def changed(before: Snapshot, after: Snapshot, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Paths that were made, changed or removed in between, sorted; relative to the work tree."""
    names = {
        path for path in before.marks.keys() | after.marks.keys() if before.marks.get(path) != after.marks.get(path)
    }
    if before.head != after.head:  # the run made commits
        committed = _git(
            after.root, environ, "diff", "--name-only", "-z", before.head or _EMPTY, after.head or _EMPTY
        )
        names |= {path for path in (committed or "").split("\0") if path}
        names = {path for path in names if not _same(before, after, path)}
    return tuple(sorted(names))


_EMPTY: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""git's name of the empty tree"""


def _same(before: Snapshot, after: Snapshot, path: str) -> bool:
    """Dirty before, committed unchanged: the mark tells."""
    mark = before.marks.get(path)
    return mark is not None and mark == _mark(Path(after.root, path))


def _scan(root: str) -> Iterator[tuple[str, str]]:
    seen = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        for name in sorted(files):
            seen += 1
            if seen > _MAX_FILES:
                return
            path = Path(folder, name)
            try:
                found = path.lstat()
            except OSError:
                continue
            yield str(path.relative_to(root)), f"{found.st_size}:{found.st_mtime_ns}:{found.st_mode}"


def _mark(path: Path) -> str:
    """Content hash with mode; size and time of a very large file; `gone` for none."""
    try:
        found = path.lstat()
        if path.is_symlink():
            return f"link:{path.readlink()}"
        if found.st_size > _MAX_HASHED_BYTES or not path.is_file():
            return f"{found.st_mode}:{found.st_size}:{found.st_mtime_ns}"
        return f"{found.st_mode}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return "gone"


def _git(root: str, environ: Mapping[str, str], *args: str) -> str | None:
    """What git prints; None when it fails, is missing, or this is no work tree. No hook of the repository's runs."""
    argv = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", root, *args]
    try:
        done = subprocess.run(
            argv,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
