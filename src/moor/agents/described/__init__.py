"""Agents that are described as data: those that ship with moor, and those of the user's config.

A description that ships is a TOML file in this folder, in the words of `[agents.NAME]` in config.toml; what the words
mean stands in `moor.domain.settings.AgentSettings`. `moor.agents.described:NAME` is the agent of the file NAME.toml.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moor.agents.described.adapter import DescribedAgent
    from moor.domain.settings import AgentSettings

FOLDER = Path(__file__).parent / "shipped"


def described_agent(name: str, group: AgentSettings) -> DescribedAgent:
    """The adapter of a description that was found sound when it was read."""
    from moor.agents.described.adapter import DescribedAgent

    return DescribedAgent(name, group)


@cache
def shipped_agent(name: str) -> DescribedAgent:
    """The adapter of a description that ships with moor. Raises ConfigError, FileNotFoundError."""
    from moor.agents.described.adapter import DescribedAgent
    from moor.store.settings_parse import parse_description
    from moor.store.settings_tables import parse_toml

    path = FOLDER / f"{name}.toml"
    return DescribedAgent(name, parse_description(*parse_toml(path, path.read_bytes()), name), folder=FOLDER)


def __getattr__(name: str) -> DescribedAgent:
    if name.startswith("_") or not (FOLDER / f"{name}.toml").is_file():
        raise AttributeError(name)
    return shipped_agent(name)
