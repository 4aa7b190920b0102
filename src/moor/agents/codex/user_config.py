"""A filtered copy of the user's own Codex home: habits, instructions and skills; no credential is read.

Read: `~/.codex` (or CODEX_HOME): `config.toml`, `AGENTS.override.md` or `AGENTS.md`. Linked, not copied: its skills
and themes. Nothing there is changed. `~/.agents/skills` Codex finds by itself, because HOME stays the user's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from moor.agents.codex.sift import DECIDED, STARTS, WRONG, Sifted
from moor.agents.repository import Refused, Repository

RULE_NAMES: Final = ("AGENTS.override.md", "AGENTS.md")
"""the first that is there counts"""
_FALLBACKS: Final = "project_doc_fallback_filenames"
_POLICY: Final = "shell_environment_policy"
_HANDLED: Final = frozenset({_FALLBACKS, _POLICY, "projects", "notice", "model_migrations"})
_NAMED: Final = {"prompts": DECIDED, "agents": DECIDED, "rules": DECIDED, "plugins": STARTS, "hooks.json": STARTS}
_MAX_SKILLS: Final = 200


class UserConfig:
    """What was taken over."""

    def __init__(self) -> None:
        self.sifted = Sifted()
        self.rules = ""
        """the user's instructions for every project"""
        self.rule_names: tuple[str, ...] = RULE_NAMES
        """names under which a repository's instructions are looked for"""
        self.hidden_variables: list[str] = []
        """patterns of variables that the user keeps from commands"""
        self.links: dict[str, str] = {}
        """path below Codex's home to the folder of the user's that stands there"""


def own_home(user_home: Path, environ: dict[str, str]) -> Path:
    """The user's own Codex home."""
    named = environ.get("CODEX_HOME", "")
    return Path(named) if named.startswith("/") else user_home / ".codex"


def read_user_config(user_home: Path, environ: dict[str, str], *, terminal: bool) -> UserConfig:
    """The user's own; empty where there is none. Never raises for what a file holds."""
    out = UserConfig()
    folder = own_home(user_home, environ)
    if not folder.is_dir():
        return out
    shown = f"~/{folder.relative_to(user_home)}" if folder.is_relative_to(user_home) else str(folder)
    own = Repository.of_folder(str(folder))
    config = read_toml(own, str(folder / "config.toml"), f"{shown}/config.toml", out.sifted)
    out.sifted.take(config, f"{shown}/config.toml", terminal=terminal, handled=_HANDLED)
    _handled(out, config, f"{shown}/config.toml")
    out.rules = _rules(own, folder, shown, out.sifted)
    _links(out, folder)
    for name, why in _NAMED.items():
        if (folder / name).exists():
            out.sifted.leave(name, shown, why)
    return out


def read_toml(repository: Repository, path: str, shown: str, sifted: Sifted) -> dict[str, Any]:
    """The file's content; {} when there is none, or when it cannot be read (and is named)."""
    try:
        text = repository.read(path)
    except Refused as error:
        sifted.leave("the whole file", shown, str(error))
        return {}
    if text is None:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        sifted.leave("the whole file", shown, "it is no TOML")
        return {}


def _handled(out: UserConfig, config: dict[str, Any], where: str) -> None:
    names = config.get(_FALLBACKS, [])
    if isinstance(names, list) and all(isinstance(name, str) and "/" not in name for name in names):
        out.rule_names = (*RULE_NAMES, *(name for name in names if name not in RULE_NAMES))
    policy = config.get(_POLICY, {})
    for name, value in policy.items() if isinstance(policy, dict) else ():
        if name == "exclude" and isinstance(value, list) and all(isinstance(item, str) for item in value):
            out.hidden_variables = value
        else:
            out.sifted.leave(f"{_POLICY}.{name}", where, DECIDED if name != "exclude" else WRONG)


def _rules(own: Repository, folder: Path, shown: str, sifted: Sifted) -> str:
    for name in RULE_NAMES:
        try:
            text = own.read(str(folder / name))
        except Refused as error:
            sifted.leave(name, shown, str(error))
            continue
        if text and text.strip():
            return text
    return ""


def _links(out: UserConfig, folder: Path) -> None:
    """Skills one by one, so that Codex may write its own beside them without touching the user's folder."""
    skills = folder / "skills"
    try:
        entries = sorted(os.scandir(skills), key=lambda entry: entry.name)[:_MAX_SKILLS]
    except OSError:
        entries = []
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_dir():
            out.links[f"skills/{entry.name}"] = entry.path
    if (folder / "themes").is_dir():
        out.links["themes"] = str(folder / "themes")
