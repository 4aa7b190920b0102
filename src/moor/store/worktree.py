"""Which repository and branch a folder belongs to, read from git's own files: no process is started."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

_MAX_BYTES: Final = 256 * 1024
_URL: Final = re.compile(r"^\s*url\s*=\s*(.+?)\s*$", re.MULTILINE)
_ORIGIN: Final = re.compile(r'\[remote "origin"\]([^\[]*)')
_CREDENTIALS: Final = re.compile(r"(?<=//)[^/@]*@")
_LINKED: Final = "gitdir:"


class Worktree(NamedTuple):
    """`repository`: its remote `origin` without credentials, else its folder's name; empty outside of one."""

    repository: str = ""
    branch: str = ""


def worktree(cwd: str) -> Worktree:
    """Of a folder. What cannot be read counts as not there. BLOCKS on files."""
    root = root_of(Path(os.path.realpath(cwd)))
    return _read(root) if root is not None else Worktree()


def root_of(folder: Path) -> Path | None:
    """The nearest folder from this one up that git would take for a work tree's.

    An empty `.git` is none: programs leave such behind, and what lies around it is not one repository. `folder`:
    absolute; links in it are not followed.
    """
    return next((one for one in (folder, *folder.parents) if _is_root(one)), None)


def _is_root(folder: Path) -> bool:
    git = folder / ".git"
    if os.path.lexists(git / "HEAD"):
        return True
    return _text(git).startswith(_LINKED)


def _read(folder: Path) -> Worktree:
    git = _git_folder(folder)
    head = _text(git / "HEAD").strip()
    branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else head[:12]
    common = _text(git / "commondir").strip()
    config = _text((git / common if common else git) / "config")
    origin = _ORIGIN.search(config)
    url = _URL.search(origin.group(1)) if origin else None
    name = _CREDENTIALS.sub("", url.group(1)).removesuffix(".git") if url else folder.name
    return Worktree(_clean(name), _clean(branch))


def _git_folder(folder: Path) -> Path:
    """A linked work tree has a file there that names the folder."""
    path = folder / ".git"
    text = _text(path) if path.is_file() else ""
    return folder / text.removeprefix(_LINKED).strip() if text.startswith(_LINKED) else path


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _clean(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:200]
