"""What a repository sets up for Gemini CLI in `.gemini` and `.agents`: read here, passed on as data or named.

Gemini CLI itself sees neither folder (start.cjs). Its rules files (`GEMINI.md`) it reads itself, and narrows what
they may import to the repository.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents import jsonc
from moor.agents.base import Extra
from moor.agents.gemini.release import SETTINGS
from moor.agents.gemini.user import sifted
from moor.agents.repository import Refused, Repository
from moor.domain.plan import LeftOut

_COMMANDS: Final = ".gemini/commands"
_TAKEN: Final = frozenset(
    {"context.fileName", "tools.exclude", "security.disableYoloMode", "security.disableAlwaysAllow"}
)
"""settings of a repository that are passed on: names of its rules files, and what narrows"""
_FOLDERS: Final = {
    ".gemini/skills": "its instructions may bring programs along",
    ".agents/skills": "its instructions may bring programs along",
    ".gemini/agents": "moor chooses models and tools",
    ".gemini/extensions": "it starts programs or fetches code",
    ".gemini/policies": "a repository's rules may only narrow",
    ".gemini/.env": "it would reroute calls or start programs",
}
_EXPANDS: Final = ("!{", "@{")
_EXPANSION: Final = "it would run a command or read a file when it is expanded"
_SERVER: Final = frozenset(
    {"command", "args", "env", "cwd", "url", "httpUrl", "headers", "timeout", "includeTools", "excludeTools", "type"}
)
_MAX_BYTES: Final = 4 << 20


class RepositorySetUp(msgspec.Struct):
    """What was found."""

    settings: dict[str, Any] = {}
    """passed on always"""
    files: dict[str, bytes] = {}
    """commands: path below the private `.gemini` to content"""
    started: dict[str, Any] = {}
    """settings that are passed on once the repository is trusted"""
    extras: list[Extra] = []
    left_out: list[LeftOut] = []

    def leave(self, what: str, where: str, why: str) -> None:
        """Name something that is not passed on."""
        self.left_out.append(LeftOut(what, where, why))


def read_repository(cwd: str) -> RepositorySetUp:
    """Never raises for what a file holds."""
    out = RepositorySetUp(settings={}, files={}, started={}, extras=[], left_out=[])
    repository = Repository(cwd)
    given = _settings(out, repository)
    kept, left = sifted(given, _TAKEN)
    out.settings = kept
    for name, why in left:
        out.leave(name, SETTINGS, why)
    for name, server in _maps(given.get("mcpServers")):
        _server(out, repository, name, server)
    for event, groups in (given.get("hooks") or {}).items() if isinstance(given.get("hooks"), dict) else ():
        _hook(out, repository, str(event), groups)
    _commands(out, repository)
    for folder, why in _FOLDERS.items():
        if os.path.lexists(os.path.join(cwd, folder)):  # noqa: PTH118
            out.leave(folder.rpartition("/")[2], folder, why)
    return out


def _settings(out: RepositorySetUp, repository: Repository) -> dict[str, Any]:
    try:
        text = repository.read(os.path.join(repository.cwd, SETTINGS))  # noqa: PTH118
        value = jsonc.loads(text) if text else {}
    except (Refused, ValueError) as error:
        out.leave("the whole file", SETTINGS, f"it cannot be read: {error}")
        return {}
    return value if isinstance(value, dict) else {}


def _server(out: RepositorySetUp, repository: Repository, name: str, server: dict[str, Any]) -> None:
    """One MCP server. `trust` stays out: its tools are asked for like others."""
    import shlex

    entry = {key: value for key, value in server.items() if key in _SERVER}
    argv = [str(server.get("command") or ""), *_words(server.get("args"))]
    does = shlex.join(word for word in argv if word) or str(server.get("httpUrl") or server.get("url") or "")
    _extra(out, repository, f"mcpServers.{name}", does, entry, argv)
    out.started.setdefault("mcpServers", {})[name] = entry


def _hook(out: RepositorySetUp, repository: Repository, event: str, groups: Any) -> None:
    """All hooks of one event."""
    if not isinstance(groups, list):
        return
    commands = [
        str(hook.get("command"))
        for group in groups
        if isinstance(group, dict)
        for hook in group.get("hooks") or []
        if isinstance(hook, dict) and hook.get("command")
    ]
    words = [word for command in commands for word in command.split()]
    _extra(out, repository, f"hooks.{event}", "; ".join(commands), groups, words)
    out.started.setdefault("hooks", {})[event] = groups


def _extra(out: RepositorySetUp, repository: Repository, what: str, does: str, value: Any, argv: list[str]) -> None:
    content = json.dumps(value, sort_keys=True).encode()
    for word in argv:
        named = os.path.join(repository.cwd, word)  # noqa: PTH118
        if word and os.path.isfile(named) and repository.inside(named):  # noqa: PTH113
            try:
                content += b"\0" + word.encode() + b"\0" + (repository.read_bytes(named, _MAX_BYTES) or b"")
            except Refused:
                continue
    out.extras.append(Extra(what=what, where=SETTINGS, does=does, content=content))


def _commands(out: RepositorySetUp, repository: Repository) -> None:
    """Slash commands are texts; one that would run or read something when it is expanded stays out."""
    top = os.path.join(repository.cwd, _COMMANDS)  # noqa: PTH118
    for path in repository.files(top, (".toml",)):
        import tomllib

        name = os.path.relpath(path, repository.cwd)
        try:
            text = repository.read(path) or ""
            prompt = str(tomllib.loads(text).get("prompt", ""))
        except (Refused, ValueError) as error:
            out.leave("the whole file", name, f"it cannot be read: {error}")
            continue
        if any(mark in prompt for mark in _EXPANDS):
            out.leave(f"command {Path(name).stem}", name, _EXPANSION)
        else:
            out.files[f"commands/{os.path.relpath(path, top)}"] = text.encode()


def _maps(value: Any) -> list[tuple[str, dict[str, Any]]]:
    given = value.items() if isinstance(value, dict) else ()
    return [(str(name), entry) for name, entry in given if isinstance(entry, dict)]


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []
