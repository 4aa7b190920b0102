"""One folder of OpenCode's: `opencode.json[c]`, agents, commands; and the names of the code that lies beside them.

The form is the same in `~/.config/opencode`, `~/.opencode` and a repository's `.opencode` (facts/opencode 4.2, 11).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from moor.agents import frontmatter, jsonc
from moor.agents.opencode.sift import STARTS, WRONG, Sieve, Taken
from moor.agents.repository import Refused, Repository

CONFIG_NAMES: Final = ("config.json", "opencode.json", "opencode.jsonc")
CODE_FOLDERS: Final = ("plugin", "plugins", "tool", "tools")
_SKILL_FOLDERS: Final = ("skill", "skills")
_SKILL: Final = "its instructions may bring programs along"


class Reader:
    """Reads folders of one place. `prefix`: how its files are named to a person (`~/.config/opencode/`)."""

    def __init__(self, repository: Repository, taken: Taken, *, is_user: bool, prefix: str = "") -> None:
        self.repository = repository
        self.taken = taken
        self._is_user = is_user
        self._prefix = prefix

    def configs(self, folder: str, names: tuple[str, ...] = CONFIG_NAMES) -> Iterator[tuple[str, dict[str, Any]]]:
        """Path and content of each config file in the folder; one that cannot be read is named and skipped."""
        for name in names:
            path = str(Path(folder, name))
            text = self.text(path)
            if text is None:
                continue
            try:
                value = jsonc.loads(text)
            except ValueError as error:
                self.taken.leave("the whole file", self.shown(path), f"it cannot be read: {error}")
                continue
            if isinstance(value, dict):
                yield path, value
            else:
                self.taken.leave("the whole file", self.shown(path), WRONG)

    def markdown(self, folder: str) -> None:
        """Agents, modes and commands that stand in files."""
        for name in ("mode", "modes", "agent", "agents"):
            for path, key, head, body in self._heads(folder, name):
                given = {"mode": "primary", **head} if name.startswith("mode") else head
                self.sieve(path).agent(key, {**given, **({"prompt": body} if body.strip() else {})})
        for name in ("command", "commands"):
            for path, key, head, body in self._heads(folder, name):
                self.sieve(path).command(key, {**head, "template": body})

    def code(self, folder: str) -> None:
        """Names plugins, tools and skills; nothing of them is read."""
        for name in (*CODE_FOLDERS, *_SKILL_FOLDERS):
            path = str(Path(folder, name))
            files = [self.repository.shown(file) for file in self.repository.files(path)]
            if files:
                why = _SKILL if name in _SKILL_FOLDERS else STARTS
                kind = name.rstrip("s")
                names = ", ".join(os.path.basename(file) for file in files[:3])  # noqa: PTH119
                self.taken.leave(f"{kind} {names}" + (" …" if len(files) > 3 else ""), self.shown(path), why)

    def text(self, path: str) -> str | None:
        """The file's text; None when there is none, or when it is refused (and named)."""
        try:
            return self.repository.read(path)
        except Refused as error:
            self.taken.leave("the whole file", self.shown(path), str(error))
            return None

    def sieve(self, path: str) -> Sieve:
        """A sieve for that file."""
        return Sieve(self.taken, self.shown(path), None if self._is_user else self._outside)

    def shown(self, path: str) -> str:
        """The path as a person would name it."""
        return self._prefix + self.repository.shown(path)

    def _outside(self, path: str) -> bool:
        if path.startswith("~"):
            return True
        return not self.repository.inside(os.path.join(self.repository.cwd, path))  # noqa: PTH118

    def _heads(self, folder: str, name: str) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        top = Path(folder, name)
        for path in self.repository.files(str(top), (".md",)):
            text = self.text(path)
            if text is None:
                continue
            try:
                head, body = frontmatter.split(text)
            except ValueError as error:
                self.taken.leave("the whole file", self.shown(path), f"its head cannot be read: {error}")
                continue
            yield path, str(Path(path).relative_to(top).with_suffix("")), head, body
