"""Agents by id: one file or folder each, one line here. Loaded when one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.errors.agent import AgentDescribedTwice, UnknownAgent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.agents.base import Agent
    from moor.domain.settings import AgentSettings


class Entry(NamedTuple):
    """Import string, one-line summary for the help, and other names it answers to."""

    target: str
    summary: str
    aliases: tuple[str, ...] = ()


AGENTS: Final[dict[str, Entry]] = {
    "opencode": Entry("moor.agents.opencode:OPENCODE", "OpenCode in this terminal"),
    "codex": Entry("moor.agents.codex:CODEX", "Codex in this terminal"),
    "claude": Entry("moor.agents.claude:CLAUDE", "Claude Code in this terminal", ("claude-code",)),
    "hermes": Entry("moor.agents.hermes:HERMES", "Hermes in this terminal"),
    "gemini": Entry("moor.agents.gemini:GEMINI", "Gemini CLI in this terminal", ("gemini-cli",)),
    "copilot": Entry("moor.agents.described:copilot", "GitHub Copilot CLI in this terminal"),
    "goose": Entry("moor.agents.described:goose", "Goose in this terminal"),
    "pi": Entry("moor.agents.described:pi", "Pi in this terminal"),
    "qwen": Entry("moor.agents.described:qwen", "Qwen Code in this terminal"),
}

DEFAULT_AGENT: Final = "opencode"
"""what a bare `moor` and `moor run` start when nobody said otherwise"""


def load_agent(name: str, described: Mapping[str, AgentSettings] | None = None) -> Agent:
    """The adapter of that id or alias; `described`: the user's `[agents]`, whose own agents count too.

    Raises UnknownAgent, AgentDescribedTwice.
    """
    for agent_id, entry in AGENTS.items():
        if name == agent_id or name in entry.aliases:
            if described and name in described and described[name].command:
                raise AgentDescribedTwice(agent=name)
            module, _, attribute = entry.target.partition(":")
            agent: Agent = getattr(importlib.import_module(module), attribute)
            return agent
    if described and name in described and described[name].command:
        from moor.agents.described import described_agent

        return described_agent(name, described[name])
    raise UnknownAgent(name=name, known=tuple(agent_names(described)))


def agent_names(described: Mapping[str, AgentSettings] | None = None) -> list[str]:
    """All ids: the built-in ones, then those that the user's config describes."""
    own = [name for name, group in (described or {}).items() if group.command and name not in AGENTS]
    return [*AGENTS, *own]
