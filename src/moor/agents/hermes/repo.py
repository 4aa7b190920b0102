"""What of a repository Hermes would run: `.hermes/plugins`, Python that is loaded into its process.

Rules (`AGENTS.md`, `HERMES.md`, `.cursorrules`, `CLAUDE.md`) are read by Hermes itself, and nothing else is.
Hermes never loads the plugins from there (its switch for it is not set): those of a trusted repository are written,
as they were looked at, into the session's private home.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from moor.agents.base import Extra
from moor.agents.hermes.shim import RULES
from moor.agents.repository import Refused, Repository
from moor.domain.plan import LeftOut

_FOLDER: Final = ".hermes/plugins"
_MAX_FILE_BYTES: Final = 1 << 20
_DOES: Final = "is loaded into Hermes' process and can do anything"
_WHY: Final = "it starts programs; moor trust lets it in"


class Plugins(msgspec.Struct, frozen=True):
    """Plugins of a repository. `files`: path below the plugins' folder to content."""

    items: tuple[Extra, ...] = ()
    files: dict[str, bytes] = {}

    @property
    def names(self) -> list[str]:
        """Names of the plugins: their folders."""
        return list(dict.fromkeys(path.partition("/")[0] for path in self.files if "/" in path))

    @property
    def left_out(self) -> list[LeftOut]:
        """What is said where they are not trusted."""
        return [LeftOut(f"plugin {name}", f"{_FOLDER}/{name}", _WHY) for name in self.names]


def rules_left_out(cwd: str) -> list[LeftOut]:
    """Rules files that lead out of the repository: the shim keeps Hermes from opening them."""
    repository = Repository(cwd)
    paths = [folder + name for folder in repository.upward() for name in RULES if name.startswith("/")]
    away = [path for path in paths if os.path.lexists(path) and not repository.inside(path)]
    return [LeftOut("the whole file", repository.shown(path), "it is a link out of the repository") for path in away]


def read_plugins(cwd: str) -> Plugins:
    """Those of the folder, where Hermes would look for them. Never raises for what a file holds."""
    repository = Repository(cwd)
    top = str(Path(repository.cwd, _FOLDER))
    if not os.path.isdir(top):  # noqa: PTH112 - a launch without any comes here too
        return Plugins()
    items = []
    files = {}
    for path in repository.files(top):
        try:
            content = repository.read_bytes(path, _MAX_FILE_BYTES)
        except Refused:
            continue
        if content is not None:
            name = os.path.relpath(path, top)
            files[name] = content
            items.append(Extra(what=f"plugin {name}", where=repository.shown(path), does=_DOES, content=content))
    return Plugins(tuple(items), files)
