"""A filtered copy of the user's own Claude Code set-up; nothing there is changed.

Read: `~/.claude` (or CLAUDE_CONFIG_DIR) and a few words of taste in `.claude.json`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.claude.folder import Folder
from moor.agents.claude.markdown import STARTS, Shelf, Sieve
from moor.agents.claude.rules import user_rules
from moor.agents.claude.settings import read_settings, rules, taste
from moor.agents.repository import Repository
from moor.domain.models import Model

_MAX_STATE: Final = 16 * 1024 * 1024


class State(msgspec.Struct, rename="camel"):
    """What is taken of `.claude.json`, where Claude Code keeps everything from tokens to tips."""

    theme: Any = None
    editor_mode: Any = None
    verbose: Any = None
    auto_compact_enabled: Any = None
    preferred_notif_channel: Any = None
    shift_enter_key_binding_installed: Any = None
    option_as_meta_key_installed: Any = None
    mcp_servers: Any = None


class UserConfig(msgspec.Struct):
    """What was taken over of the user's own."""

    shelf: Shelf
    settings: dict[str, Any]
    rules: dict[str, list[str]]
    default_mode: str
    """permission mode that the user prefers; empty for none"""
    directories: list[str]
    instructions: str
    state: dict[str, Any]
    """keys for `.claude.json`"""


def config_folder(user_home: Path, environ: dict[str, str]) -> Path:
    """Where the user's own Claude Code keeps its things."""
    named = environ.get("CLAUDE_CONFIG_DIR", "")
    return Path(named) if named.startswith("/") else user_home / ".claude"


def state_file(user_home: Path, environ: dict[str, str]) -> Path:
    """`.claude.json`: beside the folder, or in it where the folder was moved (facts, 2)."""
    folder = config_folder(user_home, environ)
    return (
        folder / ".claude.json"
        if environ.get("CLAUDE_CONFIG_DIR", "").startswith("/")
        else user_home / ".claude.json"
    )


def read_user_config(user_home: Path, environ: dict[str, str], models: tuple[Model, ...]) -> UserConfig:
    """The user's own; empty where there is none. Never raises for what a file holds."""
    shelf = Shelf()
    out = UserConfig(shelf, {}, {}, "", [], "", _state(state_file(user_home, environ), shelf, user_home))
    folder = config_folder(user_home, environ)
    if not folder.is_dir():
        return out
    prefix = _tilde(folder, user_home) + "/"
    repository = Repository.of_folder(str(folder))
    where = prefix + "settings.json"
    settings = read_settings(repository, str(folder / "settings.json"), where, shelf)
    out.settings = taste(settings, where, shelf)
    out.rules = rules(settings)
    _permissions(out, settings.get("permissions"))
    out.instructions = user_rules(folder, user_home, lambda what, at, why: shelf.leave(what, prefix + at, why))
    copies = Folder(repository, str(folder), shelf, Sieve(shelf, models), prefix)
    copies.agents()
    copies.commands()
    copies.styles()
    copies.skills()
    copies.leave_folders({"plugins": STARTS, "workflows": STARTS})
    if (text := _keys(repository, folder)) is not None:
        shelf.files["keybindings.json"] = text.encode()
    return out


def _permissions(out: UserConfig, value: Any) -> None:
    if not isinstance(value, dict):
        return
    mode, directories = value.get("defaultMode"), value.get("additionalDirectories")
    out.default_mode = mode if isinstance(mode, str) else ""
    out.directories = [one for one in directories if isinstance(one, str)] if isinstance(directories, list) else []


def _keys(repository: Repository, folder: Path) -> str | None:
    path = folder / "keybindings.json"
    return repository.read(str(path)) if path.is_file() and path.stat().st_size < 64 * 1024 else None


def _state(path: Path, shelf: Shelf, user_home: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_STATE:
            return {}
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    for name in state.mcp_servers if isinstance(state.mcp_servers, dict) else ():
        shelf.leave(f"mcpServers.{name}", _tilde(path, user_home), STARTS)
    taken = msgspec.to_builtins(state)
    return {name: value for name, value in taken.items() if isinstance(value, str | bool)}


def _tilde(path: Path, user_home: Path) -> str:
    return f"~{os.sep}{path.relative_to(user_home)}" if path.is_relative_to(user_home) else str(path)
