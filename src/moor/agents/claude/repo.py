"""What a repository may say to Claude Code: instructions, agents, commands, narrower permissions.

Claude Code reads nothing of it by itself (`--setting-sources user`): its settings hold a base URL, hooks and helpers
that act before anybody is asked (facts, 2 and 10).
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from moor.agents.claude.folder import Folder
from moor.agents.claude.markdown import DECIDED, STARTS, WIDENS, WRONG, Shelf, Sieve
from moor.agents.claude.rules import repository_rules
from moor.agents.claude.settings import ALLOW, ASK, DENY, joined, leave_all, read_settings, rules
from moor.agents.repository import Repository
from moor.domain.models import Model

FOLDER = ".claude"
SETTINGS = ("settings.json", "settings.local.json")
MCP = ".mcp.json"


class RepositoryConfig(msgspec.Struct):
    """What was taken over of the repository."""

    shelf: Shelf
    rules: dict[str, list[str]]
    instructions: str


def read_repository(cwd: str, user_home: Path, models: tuple[Model, ...], *, trusted: bool) -> RepositoryConfig:
    """What is passed on of the repository that the folder stands in. Never raises for what a file holds.

    A trusted one's skills are handed over; its hooks and MCP servers are in `extras`.
    """
    repository = Repository(cwd)
    shelf = Shelf()

    def outside(path: str) -> bool:
        return path.startswith("~") or not repository.inside(os.path.join(repository.cwd, path))  # noqa: PTH118

    out = RepositoryConfig(shelf, {}, repository_rules(repository, user_home, shelf.leave))
    sieve = Sieve(shelf, models, outside, trusted=trusted)
    for folder in repository.upward():
        hidden = str(Path(folder, FOLDER))
        if os.path.isdir(hidden) and repository.inside(hidden):  # noqa: PTH112
            _settings(repository, hidden, out, trusted=trusted)
            copies = Folder(repository, hidden, shelf, sieve)
            copies.agents()
            copies.commands()
            copies.leave_folders({"plugins": STARTS, "workflows": STARTS, "output-styles": DECIDED})
            if trusted:
                copies.skills()
            else:
                copies.leave_skills()
        if not trusted:
            _servers(repository, str(Path(folder, MCP)), shelf)
    return out


def _settings(repository: Repository, hidden: str, out: RepositoryConfig, *, trusted: bool) -> None:
    for name in SETTINGS:
        path = str(Path(hidden, name))
        where = repository.shown(path)
        settings = read_settings(repository, path, where, out.shelf)
        leave_all(
            {key: value for key, value in settings.items() if not (trusted and key == "hooks")}, where, out.shelf
        )
        out.rules = joined(out.rules, rules(settings, (ASK, DENY)))
        if rules(settings, (ALLOW,)):
            out.shelf.leave("permissions.allow", where, WIDENS)


def _servers(repository: Repository, path: str, shelf: Shelf) -> None:
    servers = read_settings(repository, path, repository.shown(path), shelf).get("mcpServers")
    if servers is not None and not isinstance(servers, dict):
        shelf.leave("mcpServers", repository.shown(path), WRONG)
        return
    for name in servers or ():
        shelf.leave(f"mcp.{name}", repository.shown(path), STARTS)
