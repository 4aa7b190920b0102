"""A filtered copy of what the user has set up for Gemini CLI in `~/.gemini`. Nothing there is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents import jsonc
from moor.agents.repository import Refused, Repository
from moor.domain.plan import LeftOut

_WHERE: Final = "~/.gemini"
_DECIDED: Final = "moor decides that"
_STARTS: Final = "it starts programs or fetches code"
_CHANGES: Final = "values of variables are not put in"
_STARTERS: Final = frozenset({"mcpServers", "mcp", "hooks", "hooksConfig", "extensions"})

TAKEN: Final = frozenset(
    {
        *("general.vimMode", "general.preferredEditor", "general.openEditorInNewWindow", "general.checkpointing"),
        *("general.sessionRetention", "general.topicUpdateNarration", "general.enableNotifications"),
        *("general.notificationMethod", "general.defaultApprovalMode", "output.format", "useWriteTodos"),
        *("model.maxSessionTurns", "model.compressionThreshold", "model.disableLoopDetection"),
        *("model.skipNextSpeakerCheck", "context.fileName", "context.importFormat", "context.includeDirectoryTree"),
        *("context.discoveryMaxDirs", "context.fileFiltering", "context.memoryBoundaryMarkers"),
        *("tools.exclude", "tools.core", "tools.confirmationRequired", "tools.allowed", "tools.shell.pager"),
        *("tools.shell.showColor", "tools.shell.inactivityTimeout", "tools.truncateToolOutputThreshold"),
        *("security.disableYoloMode", "security.disableAlwaysAllow", "skills.enabled", "skills.disabled", "ui"),
    }
)
"""settings that are taken over: taste, and what narrows"""
_FOLDERS: Final = {"skills": (), "commands": (".toml",)}
_LEFT_OUT: Final = {"extensions": _STARTS, "agents": _DECIDED, "policies": _DECIDED}
_FILES: Final = ("keybindings.json",)
_RULES: Final = "GEMINI.md"
_MAX_FILES: Final = 100


class UserSetUp(msgspec.Struct):
    """What was taken over."""

    settings: dict[str, Any] = {}
    rules: str = ""
    files: dict[str, bytes] = {}
    """path below the private `.gemini` to content"""
    left_out: list[LeftOut] = []


def read_user(user_home: Path) -> UserSetUp:
    """The user's own; empty where there is none. Never raises for what a file holds."""
    out = UserSetUp(settings={}, files={}, left_out=[])
    folder = user_home / ".gemini"
    if not folder.is_dir():
        return out
    repository = Repository.of_folder(str(folder))
    _settings(out, repository, folder)
    names = out.settings.get("context", {}).get("fileName") or _RULES
    texts = [_text(out, repository, folder / name) for name in _names(names)]
    out.rules = "\n\n".join(text for text in texts if text)
    for path in _listed(repository, folder):
        _copy(out, repository, path, str(path.relative_to(folder)))
    for name, why in _LEFT_OUT.items():
        if (folder / name).is_dir():
            out.left_out.append(LeftOut(name, f"{_WHERE}/{name}", why))
    return out


def _listed(repository: Repository, folder: Path) -> Iterator[Path]:
    for name, suffixes in _FOLDERS.items():
        for at, path in enumerate(repository.files(str(folder / name), suffixes)):
            if at < _MAX_FILES:
                yield Path(path)
    for name in _FILES:
        if (folder / name).is_file():
            yield folder / name


def _settings(out: UserSetUp, repository: Repository, folder: Path) -> None:
    text = _text(out, repository, folder / "settings.json")
    try:
        value = jsonc.loads(text) if text else {}
    except ValueError as error:
        out.left_out.append(LeftOut("the whole file", f"{_WHERE}/settings.json", f"it cannot be read: {error}"))
        return
    out.settings, left = sifted(value if isinstance(value, dict) else {}, TAKEN)
    out.left_out += [LeftOut(name, f"{_WHERE}/settings.json", why) for name, why in left]


def sifted(
    given: dict[str, Any], taken: frozenset[str], above: str = ""
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Settings whose dotted name is among `taken`, and name and reason of the others."""
    kept: dict[str, Any] = {}
    left: list[tuple[str, str]] = []
    for key, value in given.items():
        name = f"{above}{key}"
        if name in taken:
            if _is_plain(value):
                kept[key] = value
            else:
                left.append((name, _CHANGES))
        elif isinstance(value, dict) and _holds_taken(name, taken):
            inner, more = sifted(value, taken, f"{name}.")
            left += more
            if inner:
                kept[key] = inner
        elif key != "$schema":
            left += _named(name, value)
    return kept, left


def _holds_taken(name: str, taken: frozenset[str]) -> bool:
    """Whether something below that name is taken over."""
    return any(other.startswith(f"{name}.") for other in taken)


def _named(name: str, value: Any) -> list[tuple[str, str]]:
    """Servers and hooks are named one by one: `mcpServers.tools`."""
    if name not in _STARTERS:
        return [(name, _DECIDED)]
    inner = [f"{name}.{key}" for key in value][:20] if isinstance(value, dict) and value else [name]
    return [(one, _STARTS) for one in inner]


def _is_plain(value: Any) -> bool:
    """Whether nothing would be put in: Gemini CLI replaces `$NAME` in every text of its settings."""
    if isinstance(value, str):
        return "$" not in value
    if isinstance(value, dict):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    return all(_is_plain(part) for part in value) if isinstance(value, list) else True


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str) and name and "/" not in name]


def _text(out: UserSetUp, repository: Repository, path: Path) -> str:
    try:
        return repository.read(str(path)) or ""
    except Refused as error:
        out.left_out.append(LeftOut("the whole file", f"{_WHERE}/{path.name}", str(error)))
        return ""


def _copy(out: UserSetUp, repository: Repository, path: Path, name: str) -> None:
    try:
        content = repository.read_bytes(str(path), 256 * 1024)
    except Refused as error:
        out.left_out.append(LeftOut("the whole file", f"{_WHERE}/{name}", str(error)))
        return
    if content is not None:
        out.files[name] = content
