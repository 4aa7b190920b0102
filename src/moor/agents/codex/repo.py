"""What a repository says to Codex: its rules are read here and passed on; the rest of `.codex` is named.

For a folder that is not trusted Codex reads neither `.codex/config.toml` nor AGENTS.md (0.169.0); for a trusted one
it starts the MCP servers and takes the model of that file at once. So moor never lets it trust a folder that has a
`.codex`, and hands the rules over by itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from moor.agents.codex.sift import DECIDED, STARTS, Sifted, names, why_left
from moor.agents.codex.user_config import RULE_NAMES, read_toml
from moor.agents.repository import Refused, Repository

FOLDER: Final = ".codex"
CONFIG: Final = "config.toml"
HOOKS: Final = "hooks.json"
_MAX_RULES: Final = 32 * 1024
"""bytes of all rules together, as Codex itself takes"""
_NAMED: Final = {"agents": DECIDED, "rules": DECIDED, "prompts": DECIDED, "plugins": STARTS, HOOKS: STARTS}


class RepoConfig:
    """What was found. `has_folder`: there is a `.codex` that a trusting Codex would obey."""

    def __init__(self) -> None:
        self.sifted = Sifted()
        self.rules: list[tuple[str, str]] = []
        """file as shown, text; from the root down"""
        self.has_folder = False


def read_repository(cwd: str, rule_names: tuple[str, ...] = RULE_NAMES) -> RepoConfig:
    """What is passed on of the repository that the folder stands in. Never raises for what a file holds."""
    out = RepoConfig()
    repository = Repository(cwd)
    left = _MAX_RULES
    for folder in repository.upward():
        left -= _rules(out, repository, folder, rule_names, left)
        hidden = str(Path(folder, FOLDER))
        if os.path.lexists(hidden):
            out.has_folder = True
            _folder(out, repository, hidden)
    return out


def project_configs(repository: Repository, sifted: Sifted) -> list[tuple[str, dict[str, Any]]]:
    """Path and content of each `.codex/config.toml`, from the root down."""
    paths = [str(Path(folder, FOLDER, CONFIG)) for folder in repository.upward()]
    return [(path, read_toml(repository, path, repository.shown(path), sifted)) for path in paths]


def _rules(out: RepoConfig, repository: Repository, folder: str, rule_names: tuple[str, ...], left: int) -> int:
    """Takes the first rules file of the folder; returns its size."""
    for name in rule_names:
        path = str(Path(folder, name))
        try:
            text = repository.read(path)
        except Refused as error:
            out.sifted.leave("the whole file", repository.shown(path), str(error))
            continue
        if text is None or not text.strip():
            continue
        if len(text.encode()) > left:
            out.sifted.leave(
                "the whole file", repository.shown(path), f"all rules together exceed {_MAX_RULES} bytes"
            )
            return 0
        out.rules.append((repository.shown(path), text))
        return len(text.encode())
    return 0


def _folder(out: RepoConfig, repository: Repository, hidden: str) -> None:
    path = str(Path(hidden, CONFIG))
    where = repository.shown(path)
    for name, value in read_toml(repository, path, where, out.sifted).items():
        for what in names(name, value):
            out.sifted.leave(what, where, why_left(name))
    for name, why in _NAMED.items():
        if os.path.lexists(Path(hidden, name)):
            out.sifted.leave(name, repository.shown(hidden), why)
