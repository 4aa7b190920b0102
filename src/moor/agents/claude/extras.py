"""What in a repository's Claude Code config starts programs: read for `moor trust`, passed on when it was given.

Passed on are hooks, MCP servers and skills. Helpers for keys, status lines, plugins of a marketplace, addresses and
models are not, trusted or not.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Extra
from moor.agents.claude.folder import Folder
from moor.agents.claude.markdown import Shelf, Sieve
from moor.agents.claude.repo import FOLDER, MCP, SETTINGS
from moor.agents.claude.settings import read_settings
from moor.agents.repository import Refused, Repository

_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_PROJECT: Final = re.compile(r"\$\{?CLAUDE_PROJECT_DIR\}?")
_URL_KINDS: Final = ("http", "prompt", "agent")


class Extras(msgspec.Struct):
    """What was found, for asking and hashing, and the settings it becomes."""

    items: tuple[Extra, ...] = ()
    hooks: dict[str, list[Any]] = {}
    servers: dict[str, Any] = {}


def read_extras(cwd: str) -> Extras:
    """Never raises for what a file holds: what cannot be read is not let in."""
    return _Finder(Repository(cwd)).find()


class _Finder:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._items: list[Extra] = []
        self._hooks: dict[str, list[Any]] = {}
        self._servers: dict[str, Any] = {}

    def find(self) -> Extras:
        for folder in self._repository.upward():
            self._server_file(str(Path(folder, MCP)))
            hidden = str(Path(folder, FOLDER))
            if not os.path.isdir(hidden) or not self._repository.inside(hidden):  # noqa: PTH112
                continue
            for name in SETTINGS:
                self._hook_file(str(Path(hidden, name)))
            for skill in Folder(self._repository, hidden, Shelf(), Sieve(Shelf(), ())).skill_folders():
                self._skill(skill)
        return Extras(tuple(self._items), self._hooks, self._servers)

    def _server_file(self, path: str) -> None:
        servers = self._read(path).get("mcpServers")
        for name, server in servers.items() if isinstance(servers, dict) else ():
            if not isinstance(server, dict):
                continue
            argv = [str(server.get("command", "")), *map(str, _list(server.get("args")))]
            does = " ".join(argv).strip() or str(server.get("url") or json.dumps(server))
            self._add(f"mcp.{name}", path, does, server, argv)
            self._servers[name] = server

    def _hook_file(self, path: str) -> None:
        hooks = self._read(path).get("hooks")
        for event, matchers in hooks.items() if isinstance(hooks, dict) else ():
            for matcher in _list(matchers):
                if isinstance(matcher, dict):
                    self._matcher(str(event), matcher, path)

    def _matcher(self, event: str, matcher: dict[str, Any], path: str) -> None:
        kept = []
        for hook in _list(matcher.get("hooks")):
            if not isinstance(hook, dict) or hook.get("type") in _URL_KINDS:
                continue  # a hook that calls an address or a model of its own
            command = str(hook.get("command", ""))
            label = f"hook {event} {matcher.get('matcher') or ''}".strip()
            whole = {"event": event, "matcher": matcher.get("matcher"), "hook": hook}
            self._add(label, path, command, whole, _words(_PROJECT.sub(self._repository.root, command)))
            kept.append(hook)
        if kept:
            self._hooks.setdefault(event, []).append({**matcher, "hooks": kept})

    def _skill(self, folder: str) -> None:
        content = b""
        for path in self._repository.files(folder):
            content += self._repository.shown(path).encode() + b"\0" + (self._bytes(path) or b"") + b"\0"
        name = Path(folder).name
        does = "its instructions may run the programs beside them"
        self._items.append(
            Extra(what=f"skill {name}", where=self._repository.shown(folder), does=does, content=content)
        )

    def _add(self, what: str, path: str, does: str, value: Any, words: list[str]) -> None:
        content = json.dumps(value, sort_keys=True).encode()
        for word in words:
            named = os.path.join(self._repository.root, word)  # noqa: PTH118
            if word and os.path.isfile(named) and self._repository.inside(named):  # noqa: PTH113
                content += b"\0" + word.encode() + b"\0" + (self._bytes(named) or b"")
        self._items.append(Extra(what=what, where=self._repository.shown(path), does=does, content=content))

    def _read(self, path: str) -> dict[str, Any]:
        return read_settings(self._repository, path, "", Shelf())

    def _bytes(self, path: str) -> bytes | None:
        try:
            return self._repository.read_bytes(path, _MAX_FILE_BYTES)
        except Refused:
            return None


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
