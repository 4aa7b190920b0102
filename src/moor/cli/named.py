"""Names of agents and versions as they are typed after `moor agents ACTION`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from moor.agents import agent_names, load_agent
from moor.cli.context import Context
from moor.errors.base import UsageError

if TYPE_CHECKING:
    from moor.agents.base import Agent

_VERSION: Final = re.compile(r"\d+(?:\.\d+){1,3}(?:[-.]?[0-9A-Za-z][0-9A-Za-z.-]*)?")


def named_agents(names: list[str], ctx: Context, action: str) -> list[Agent]:
    """The agents of those names, each once. Raises UsageError for none, UnknownAgent."""
    if not names:
        known = ", ".join(agent_names(ctx.loaded.settings.agents))
        raise UsageError("no agent is named", hint=f"moor agents {action} NAME …   ({known})")
    found = [load_agent(name, ctx.loaded.settings.agents) for name in names]
    return list({agent.id: agent for agent in found}.values())


def plain_version(text: str | None) -> str | None:
    """A plain version: it becomes a folder's name and part of a package's."""
    if text is not None and not _VERSION.fullmatch(text):
        raise UsageError(f"{text!r} is no version", hint="write one like 1.18.33")
    return text
