"""Agents by id: one file or folder each, one line here. Loaded when one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.errors.agent import UnknownAgent

if TYPE_CHECKING:
    from moor.agents.base import Agent


class Entry(NamedTuple):
    """Import string, one-line summary for the help, and other names it answers to."""

    target: str
    summary: str
    aliases: tuple[str, ...] = ()


AGENTS: Final[dict[str, Entry]] = {
    "opencode": Entry("moor.agents.opencode:OPENCODE", "OpenCode in this terminal"),
}

DEFAULT_AGENT: Final = "opencode"
"""what a bare `moor` and `moor run` start when nobody said otherwise"""


def load_agent(name: str) -> Agent:
    """The adapter of that id or alias; raises UnknownAgent."""
    for agent_id, entry in AGENTS.items():
        if name == agent_id or name in entry.aliases:
            module, _, attribute = entry.target.partition(":")
            agent: Agent = getattr(importlib.import_module(module), attribute)
            return agent
    raise UnknownAgent(name=name, known=tuple(AGENTS))
