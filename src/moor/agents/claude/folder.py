"""One `.claude` folder: agents, commands, skills and styles, the user's own or a repository's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moor.agents.claude.markdown import STARTS, Shelf, Sieve
from moor.agents.repository import Refused, Repository

AGENTS: Final = "agents"
COMMANDS: Final = "commands"
SKILLS: Final = "skills"
SKILL: Final = "SKILL.md"
_STYLES: Final = "output-styles"
_MAX_SKILLS: Final = 200


class Folder:
    """Copies parts of one folder. `prefix`: how its files are named to a person (`~/.claude/`)."""

    def __init__(self, repository: Repository, path: str, shelf: Shelf, sieve: Sieve, prefix: str = "") -> None:
        self._repository = repository
        self._path = path
        self._shelf = shelf
        self._sieve = sieve
        self._prefix = prefix

    def agents(self) -> None:
        """Sub-agents."""
        self._markdown(AGENTS)

    def commands(self) -> None:
        """Slash commands."""
        self._markdown(COMMANDS)

    def styles(self) -> None:
        """Output styles: text only."""
        for path, text in self._texts(_STYLES):
            self._shelf.files[self._inside(path)] = text.encode()

    def skills(self) -> None:
        """Skills: the text filtered, the files beside it linked to where they lie."""
        for folder in self.skill_folders():
            name = f"{SKILLS}/{Path(folder).name}"
            text = self._text(os.path.join(folder, SKILL))  # noqa: PTH118
            content = self._sieve.command(text, self.shown(folder)) if text is not None else None
            if content is None:
                continue
            self._shelf.files[f"{name}/{SKILL}"] = content
            for entry in sorted(os.listdir(folder)):  # noqa: PTH208
                if entry != SKILL:
                    self._shelf.links[f"{name}/{entry}"] = os.path.join(folder, entry)  # noqa: PTH118

    def leave_folders(self, names: Mapping[str, str]) -> None:
        """Names folders of which nothing is read, with the reason for each."""
        for name, why in names.items():
            path = os.path.join(self._path, name)  # noqa: PTH118
            if os.path.isdir(path):  # noqa: PTH112
                self._shelf.leave(name, self.shown(path), why)

    def leave_skills(self) -> None:
        """Names the skills; nothing of them is read."""
        for folder in self.skill_folders():
            self._shelf.leave(f"skill {Path(folder).name}", self.shown(folder), STARTS)

    def skill_folders(self) -> list[str]:
        """Folders of skills, links out of the repository left out."""
        top = os.path.join(self._path, SKILLS)  # noqa: PTH118
        if not os.path.isdir(top) or not self._repository.inside(top):  # noqa: PTH112
            return []
        folders = [os.path.join(top, name) for name in sorted(os.listdir(top))[:_MAX_SKILLS]]  # noqa: PTH118, PTH208
        return [one for one in folders if self._repository.inside(one) and os.path.isfile(os.path.join(one, SKILL))]  # noqa: PTH113, PTH118

    def shown(self, path: str) -> str:
        """The path as a person would name it."""
        return self._prefix + self._repository.shown(path)

    def _markdown(self, name: str) -> None:
        for path, text in self._texts(name):
            take = self._sieve.agent if name == AGENTS else self._sieve.command
            content = take(text, self.shown(path))
            if content is not None:
                self._shelf.files[self._inside(path)] = content

    def _texts(self, name: str) -> list[tuple[str, str]]:
        found = []
        for path in self._repository.files(os.path.join(self._path, name), (".md",)):  # noqa: PTH118
            text = self._text(path)
            if text is not None:
                found.append((path, text))
        return found

    def _text(self, path: str) -> str | None:
        try:
            return self._repository.read(path)
        except Refused as error:
            self._shelf.leave("the whole file", self.shown(path), str(error))
            return None

    def _inside(self, path: str) -> str:
        """Below the folder, as it shall stand below the private one."""
        return os.path.relpath(path, self._path)
