"""What in a repository's `.codex` starts programs: read for `moor trust`, passed on as data when it was given.

Passed on are MCP servers and hooks, the two that Codex itself takes from a folder it trusts. `notify`, providers and
models it ignores there, and so do we.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Extra
from moor.agents.codex.repo import FOLDER, HOOKS, project_configs
from moor.agents.codex.sift import Sifted
from moor.agents.repository import Refused, Repository

_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_SERVERS: Final = "mcp_servers"


class Extras(msgspec.Struct, frozen=True):
    """What was found, for asking and hashing, and the config keys it becomes."""

    items: tuple[Extra, ...]
    config: dict[str, Any]


def read_extras(cwd: str) -> Extras:
    """Never raises for what a file holds: what cannot be read is not let in."""
    return _Finder(Repository(cwd)).find()


class _Finder:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._items: list[Extra] = []
        self._servers: dict[str, Any] = {}
        self._hooks: dict[str, list[Any]] = {}

    def find(self) -> Extras:
        for path, project in project_configs(self._repository, Sifted()):
            self._take_servers(project.get(_SERVERS), path)
            self._take_hooks(project.get("hooks"), path)
        for folder in self._repository.upward():
            path = str(Path(folder, FOLDER, HOOKS))
            self._take_hooks(self._json(path).get("hooks"), path)
        config: dict[str, Any] = {}
        if self._servers:
            config[_SERVERS] = self._servers
        if self._hooks:
            config["hooks"] = self._hooks
        return Extras(tuple(self._items), config)

    def _take_servers(self, value: Any, path: str) -> None:
        for name, entry in value.items() if isinstance(value, dict) else ():
            if not isinstance(entry, dict):
                continue
            command = _words(entry)
            does = " ".join(command) or str(entry.get("url") or json.dumps(entry, default=str))
            self._add(f"{_SERVERS}.{name}", path, does, entry, command)
            self._servers[name] = entry

    def _take_hooks(self, value: Any, path: str) -> None:
        for event, groups in value.items() if isinstance(value, dict) else ():
            if not isinstance(groups, list):
                continue
            for group in groups:
                commands = _commands(group)
                if commands:
                    words = [word for command in commands for word in command.split()]
                    self._add(f"hooks.{event}", path, "; ".join(commands), group, words)
                    self._hooks.setdefault(str(event), []).append(group)

    def _add(self, what: str, path: str, does: str, value: Any, words: list[str]) -> None:
        """Trust holds for the entry and for the repository's own files that its command names."""
        content = json.dumps(value, sort_keys=True, default=str).encode()
        for word in words:
            named = os.path.join(self._repository.root, word)  # noqa: PTH118
            if os.path.isfile(named) and self._repository.inside(named):  # noqa: PTH113
                content += b"\0" + word.encode() + b"\0" + self._bytes(named)
        self._items.append(Extra(what=what, where=self._repository.shown(path), does=does, content=content))

    def _json(self, path: str) -> dict[str, Any]:
        try:
            value = json.loads(self._bytes(path) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def _bytes(self, path: str) -> bytes:
        try:
            return self._repository.read_bytes(path, _MAX_FILE_BYTES) or b""
        except Refused:
            return b""


def _words(entry: dict[str, Any]) -> list[str]:
    args = entry.get("args")
    command = entry.get("command")
    return [str(command), *map(str, args if isinstance(args, list) else [])] if isinstance(command, str) else []


def _commands(group: Any) -> list[str]:
    hooks = group.get("hooks") if isinstance(group, dict) else None
    return [
        hook["command"]
        for hook in (hooks if isinstance(hooks, list) else [])
        if isinstance(hook, dict) and isinstance(hook.get("command"), str)
    ]
