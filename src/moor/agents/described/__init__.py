"""Agents that are described as data: those that ship with moor, and those of the user's config."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moor.agents.base import Agent
    from moor.domain.settings import AgentSettings


def described_agent(name: str, group: AgentSettings) -> Agent:
    """The adapter of a description."""
    raise NotImplementedError(name, group)
