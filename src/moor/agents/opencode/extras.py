"""What in a repository's OpenCode config starts programs: read for `moor trust`, passed on when it was given.

Passed on are MCP servers, language servers, formatters and plugins. Providers and models are not, trusted or not.
Custom tools (`.opencode/tool`) would need OpenCode's plugin kit from npm beside them and stay out.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Extra
from moor.agents.opencode.folder import Reader
from moor.agents.opencode.repo import FOLDER, PROJECT_NAMES
from moor.agents.opencode.sift import Taken
from moor.agents.repository import Refused, Repository

_SECTIONS: Final = ("mcp", "lsp", "formatter")
_PLUGIN_FOLDERS: Final = ("plugin", "plugins")
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_ENV: Final = re.compile(r"\{env:([^}]*)\}")
_FILE: Final = re.compile(r"\{file:[^}]*\}")


class Extras(msgspec.Struct, frozen=True):
    """What was found, for asking and hashing, and the config keys it becomes."""

    items: tuple[Extra, ...]
    config: dict[str, Any]


def read_extras(cwd: str) -> Extras:
    """Never raises for what a file holds: what cannot be read is not let in."""
    return _Finder(Repository(cwd)).find()


def passed_on(extras: Extras, environ: dict[str, str], wrapper: str) -> dict[str, Any]:
    """The config keys of a trusted repository.

    `{env:NAME}` is put in from the agent's environment; a local command runs behind `wrapper`, which gives it the
    user's own environment back.
    """
    config = json.loads(_ENV.sub(lambda found: _quoted(environ.get(found.group(1), "")), json.dumps(extras.config)))
    for name, server in config.get("mcp", {}).items():
        config["mcp"][name] = _wrapped(server, wrapper)
    for section in ("lsp", "formatter"):
        if isinstance(config.get(section), dict):
            config[section] = {name: _wrapped(entry, wrapper) for name, entry in config[section].items()}
    return dict(config)


class _Finder:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._reader = Reader(repository, Taken(), is_user=False)
        self._items: list[Extra] = []
        self._config: dict[str, Any] = {}

    def find(self) -> Extras:
        for folder in self._repository.upward():
            self._folder(folder)
        for folder in self._repository.upward():
            hidden = str(Path(folder, FOLDER))
            if os.path.isdir(hidden):  # noqa: PTH112
                self._folder(hidden)
                self._plugins(hidden)
        return Extras(tuple(self._items), self._config)

    def _folder(self, folder: str) -> None:
        for path, config in self._reader.configs(folder, PROJECT_NAMES):
            for section in _SECTIONS:
                self._section(section, config.get(section), path)
            for spec in config.get("plugin") or [] if isinstance(config.get("plugin"), list) else []:
                self._plugin(spec, path)

    def _section(self, section: str, value: Any, path: str) -> None:
        if isinstance(value, bool) and section != "mcp":
            self._add(f"{section}", path, "switched on" if value else "switched off", value, [])
            self._config[section] = value
            return
        for name, entry in value.items() if isinstance(value, dict) else ():
            if not isinstance(entry, dict) or _FILE.search(json.dumps(entry)):
                continue
            command = _argv(entry)
            does = " ".join(command) or str(entry.get("url") or json.dumps(entry))
            self._add(f"{section}.{name}", path, does, entry, command)
            kept = self._config.setdefault(section, {})
            if isinstance(kept, dict):
                kept[name] = entry

    def _plugin(self, spec: Any, path: str) -> None:
        parts = spec if isinstance(spec, list) else [spec]
        name = parts[0] if parts else None
        if not isinstance(name, str) or _FILE.search(json.dumps(spec)):
            return
        if name.startswith((".", "/", "file:")):
            file = os.path.join(os.path.dirname(path), name.removeprefix("file://"))  # noqa: PTH118, PTH120
            content = self._bytes(file)
            if content is None:
                return
            url = Path(os.path.realpath(file)).as_uri()
            spec = [url, parts[1]] if len(parts) > 1 else url
            self._items.append(_extra(f"plugin {name}", self._reader.shown(path), "runs inside OpenCode", content))
        else:
            self._add(f"plugin {name}", path, "is fetched from npm and runs inside OpenCode", spec, [])
        self._config.setdefault("plugin", []).append(spec)

    def _plugins(self, folder: str) -> None:
        for name in _PLUGIN_FOLDERS:
            for path in self._repository.files(str(Path(folder, name))):
                content = self._bytes(path)
                if content is None:
                    continue
                shown = self._reader.shown(path)
                self._items.append(_extra(f"plugin {Path(path).name}", shown, "runs inside OpenCode", content))
                if path.endswith((".js", ".ts", ".mjs", ".mts")) and Path(path).parent == Path(folder, name):
                    self._config.setdefault("plugin", []).append(Path(os.path.realpath(path)).as_uri())

    def _add(self, what: str, path: str, does: str, value: Any, command: list[str]) -> None:
        content = json.dumps(value, sort_keys=True).encode()
        for word in command:
            named = os.path.join(self._repository.root, word)  # noqa: PTH118
            if os.path.isfile(named) and self._repository.inside(named):  # noqa: PTH113
                content += b"\0" + word.encode() + b"\0" + (self._bytes(named) or b"")
        self._items.append(_extra(what, self._reader.shown(path), does, content))

    def _bytes(self, path: str) -> bytes | None:
        try:
            return self._repository.read_bytes(path, _MAX_FILE_BYTES)
        except Refused:
            return None


def _extra(what: str, where: str, does: str, content: bytes) -> Extra:
    return Extra(what=what, where=where, does=does, content=content)


def _argv(entry: dict[str, Any]) -> list[str]:
    command = entry.get("command")
    return [str(word) for word in command] if isinstance(command, list) else []


def _wrapped(entry: Any, wrapper: str) -> Any:
    if isinstance(entry, dict) and _argv(entry):
        return {**entry, "command": [wrapper, *_argv(entry)]}
    return entry


def _quoted(value: str) -> str:
    """A value inside a JSON string that stands there already."""
    return json.dumps(value)[1:-1]
