"""Instructions (CLAUDE.md) as one text: the user's own, then the repository's from its root down.

Claude Code reads a repository's only together with its settings, which are not loaded; so moor reads them and hands
them over as the user's. What they import with `@path` is put in here, because in the user's own file it would be
read from anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from moor.agents.repository import Refused, Repository

_PLACES: Final = ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md")
_FOLDER: Final = ".claude/rules"
_MAX_BYTES: Final = 128 * 1024
_MAX_TOTAL: Final = 512 * 1024
_MAX_DEPTH: Final = 5
_IMPORT: Final = re.compile(r"(?<!\S)@((?:[^\s\\]|\\ )+)")
_CODE: Final = re.compile(r"(^[ \t]*```.*?^[ \t]*```[^\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)

Leave = Callable[[str, str, str], None]
"""told what is not taken over, where it stands, and why"""


def repository_rules(repository: Repository, user_home: Path, leave: Leave) -> str:
    """The texts of the repository, each under a line that names it; empty when there are none."""
    reader = _Reader(repository, user_home, leave)
    for folder in repository.upward():
        for name in _PLACES:
            reader.add(os.path.join(folder, name))  # noqa: PTH118
        for path in repository.files(os.path.join(folder, _FOLDER), (".md",)):  # noqa: PTH118
            reader.add(path)
    return reader.text("the repository's instructions")


def user_rules(folder: Path, user_home: Path, leave: Leave) -> str:
    """The user's own text with its imports, from wherever the user let them lead."""
    repository = Repository.of_folder(str(folder))
    reader = _Reader(repository, user_home, leave)
    reader.add(str(folder / _PLACES[0]))
    for path in repository.files(str(folder / "rules"), (".md",)):
        reader.add(path)
    return reader.text("the user's own instructions")


class _Reader:
    def __init__(self, repository: Repository, user_home: Path, leave: Leave) -> None:
        self._repository = repository
        self._user_home = str(user_home)
        self._leave = leave
        self._seen: set[str] = set()
        self._parts: list[tuple[str, str]] = []
        self._size = 0

    def add(self, path: str, depth: int = 0) -> None:
        """One file, and behind it those that it imports."""
        real = os.path.realpath(path)
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            text = self._repository.read(path, _MAX_BYTES)
        except Refused as error:
            self._leave("the whole file", self._repository.shown(path), str(error))
            return
        if text is None:
            return
        if self._size + len(text) > _MAX_TOTAL:
            self._leave("the whole file", self._repository.shown(path), "there is too much of it")
            return
        self._size += len(text)
        pieces = _CODE.split(text)
        imports: list[str] = []
        pieces[::2] = [_IMPORT.sub(lambda found: self._named(found, path, imports), piece) for piece in pieces[::2]]
        self._parts.append((path, "".join(pieces).strip()))
        for name in imports:
            if depth < _MAX_DEPTH:
                self.add(name, depth + 1)

    def text(self, whose: str) -> str:
        """All that was read."""
        return "\n\n".join(f"Contents of {path} ({whose}):\n\n{text}" for path, text in self._parts if text)

    def _named(self, found: re.Match[str], path: str, imports: list[str]) -> str:
        """The import as code, so that nobody follows it a second time; its file is put in behind."""
        word = found.group(1).replace("\\ ", " ")
        place = self._user_home + word[1:] if word.startswith("~/") else word
        target = os.path.join(os.path.dirname(path), place)  # noqa: PTH118, PTH120
        if not os.path.isfile(target):  # noqa: PTH113
            return f"`@{word}`"
        if self._repository.inside(target):
            imports.append(target)
        else:
            self._leave(f"@{word}", self._repository.shown(path), "it lies outside of the repository")
        return f"`@{word}`"
