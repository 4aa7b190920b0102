"""A filtered copy of the user's own OpenCode config: what makes it theirs is kept, what would leave the wire is not.

Read: `~/.config/opencode` (or below XDG_CONFIG_HOME) and `~/.opencode`. Nothing there is changed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from moor.agents.opencode.folder import Reader
from moor.agents.opencode.sift import DECIDED, NETWORK, STARTS, WRONG, Taken
from moor.agents.repository import Repository

_SETTINGS: Final[dict[str, type]] = {
    "default_agent": str,
    "username": str,
    "snapshot": bool,
    "subagent_depth": int,
    "watcher": dict,
    "compaction": dict,
    "tool_output": dict,
}
_EXPERIMENTAL: Final[dict[str, type]] = {
    "disable_paste_summary": bool,
    "batch_tool": bool,
    "continue_loop_on_deny": bool,
    "primary_tools": list,
}
_TUI: Final = (
    "theme",
    "keybinds",
    "leader_timeout",
    "scroll_speed",
    "scroll_acceleration",
    "diff_style",
    "mouse",
    "cursor",
)
_TAKEN_HERE: Final = frozenset(
    {*_SETTINGS, "experimental", "instructions", "skills", "theme", "keybinds", "tui", "layout"}
)
_MAX_THEMES: Final = 50
_RULES: Final = "AGENTS.md"


class UserConfig:
    """What was taken over. `tui`: settings of the interface; `themes`: name of a file to its content."""

    def __init__(self) -> None:
        self.taken = Taken()
        self.tui: dict[str, Any] = {}
        self.themes: dict[str, str] = {}


def read_user_config(user_home: Path, environ: dict[str, str]) -> UserConfig:
    """The user's own; empty where there is none. Never raises for what a file holds."""
    out = UserConfig()
    config_home = environ.get("XDG_CONFIG_HOME", "")
    base = Path(config_home) if config_home.startswith("/") else user_home / ".config"
    for folder in (base / "opencode", user_home / ".opencode"):
        if folder.is_dir():
            _folder(out, folder, user_home)
    _rules(out.taken, [base / "opencode" / _RULES, user_home / ".claude" / "CLAUDE.md"])
    for name in sorted(environ):
        if name in ("OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", "OPENCODE_CONFIG_CONTENT", "OPENCODE_PERMISSION"):
            out.taken.leave(name, "your environment", DECIDED)
    return out


def _folder(out: UserConfig, folder: Path, user_home: Path) -> None:
    reader = Reader(
        Repository.of_folder(str(folder)), out.taken, is_user=True, prefix=_tilde(folder, user_home) + "/"
    )
    for path, config in reader.configs(str(folder)):
        reader.sieve(path).config(config, _TAKEN_HERE)
        _settings(out, reader, path, config)
    for _, tui in reader.configs(str(folder), ("tui.json", "tui.jsonc")):
        out.tui.update({name: tui[name] for name in _TUI if name in tui})
    reader.markdown(str(folder))
    reader.code(str(folder))
    for path in list(reader.repository.files(str(folder / "themes"), (".json",)))[:_MAX_THEMES]:
        text = reader.text(path)
        if text is not None:
            out.themes[Path(path).name] = text


def _settings(out: UserConfig, reader: Reader, path: str, config: dict[str, Any]) -> None:
    where = reader.shown(path)
    for name, kind in _SETTINGS.items():
        if name in config:
            _take(out.taken, out.taken.settings, name, config[name], kind, where)
    experimental = config.get("experimental")
    for name, value in (experimental if isinstance(experimental, dict) else {}).items():
        if name in _EXPERIMENTAL:
            kept = out.taken.settings.setdefault("experimental", {})
            _take(out.taken, kept, name, value, _EXPERIMENTAL[name], where)
        else:
            out.taken.leave(f"experimental.{name}", where, DECIDED)
    out.tui.update({name: config[name] for name in ("theme", "keybinds") if name in config})
    if isinstance(config.get("tui"), dict):
        out.tui.update({name: value for name, value in config["tui"].items() if name in _TUI})
    if "skills" in config:
        out.taken.leave("skills", where, STARTS)
    _instructions(out.taken, config.get("instructions"), Path(path).parent, where)


def _take(taken: Taken, into: dict[str, Any], name: str, value: Any, kind: type, where: str) -> None:
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        into[name] = value
    else:
        taken.leave(name, where, WRONG)


def _instructions(taken: Taken, value: Any, folder: Path, where: str) -> None:
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, str):
            continue
        if "://" in entry:
            taken.leave(f"instructions {entry}", where, NETWORK)
        else:
            path = os.path.expanduser(entry)  # noqa: PTH111
            taken.instructions.append(os.path.join(folder, path))  # noqa: PTH118


def _rules(taken: Taken, candidates: list[Path]) -> None:
    """The user's rules for every project: the first file there is, as OpenCode takes it."""
    for path in candidates:
        if path.is_file():
            taken.instructions.insert(0, str(path))
            return


def _tilde(path: Path, user_home: Path) -> str:
    return f"~/{path.relative_to(user_home)}" if path.is_relative_to(user_home) else str(path)
