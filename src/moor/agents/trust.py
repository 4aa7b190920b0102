"""What a repository would start, and the hash over exactly that content: for `moor trust` and for a launch.

The hash covers the settings, every file of a plugin folder, and every file of the repository that a command names.
What such a program loads by itself beyond that is not covered; the command says so before it asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from moor.agents import agent_names, load_agent
from moor.agents.base import Extra
from moor.agents.repository import Repository

if TYPE_CHECKING:
    from moor.domain.settings import AgentSettings
    from moor.store.home import Home


def repository_root(cwd: str) -> Path:
    """The folder that trust is given to: the git work tree, else the folder itself."""
    return Path(Repository(cwd).root)


def repository_extras(cwd: str, described: Mapping[str, AgentSettings] | None = None) -> tuple[Extra, ...]:
    """What all agents would start there, `described` ones of the user's too; () for most repositories. BLOCKS."""
    names = agent_names(described)
    return tuple(extra for name in names for extra in load_agent(name, described).extras(cwd))


def digest(extras: tuple[Extra, ...]) -> str:
    """Hex SHA-256 over names, places and contents; empty for nothing."""
    if not extras:
        return ""
    whole = hashlib.sha256()
    for extra in sorted(extras, key=lambda extra: (extra.where, extra.what)):
        for part in (extra.what.encode(), extra.where.encode(), extra.content):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()


def is_trusted(home: Home, cwd: str, described: Mapping[str, AgentSettings] | None = None) -> bool:
    """Whether exactly this content was let in. All agents are asked only where something was let in once."""
    if not home.db_path.exists():
        return False
    from moor.store.trust import TrustStore

    let_in = TrustStore(home).digest(repository_root(cwd))
    return bool(let_in) and let_in == digest(repository_extras(cwd, described))
