"""docs/reference/agents.md: every agent, from its adapter."""

from __future__ import annotations

import importlib

from moor.agents import AGENTS, Entry, load_agent
from moor.agents.base import SEES
from scripts.reference.notes import code, first_paragraph, page, table

INTRO = """
Agents are installed by moor, pinned, into its own home; what lies on your PATH is left alone. `moor agents` lists
them with the versions that are there. Everything after the agent's name is the agent's own; a few sub-commands are
refused, because they would leave the wire or change the installation.
"""


def render() -> str:
    """The page."""
    return page("Agents", INTRO, *[section(agent_id, entry) for agent_id, entry in AGENTS.items()])


def section(agent_id: str, entry: Entry) -> str:
    """One agent."""
    agent = load_agent(agent_id)
    module = importlib.import_module(entry.target.partition(":")[0])
    rows = [("start", code(f"moor {agent_id}")), ("installed version", code(agent.pinned_version))]
    rows += [("also answers to", ", ".join(code(alias) for alias in entry.aliases))] if entry.aliases else []
    traits = agent.traits(agent.pinned_version)
    rows += [("names itself on the wire", code(traits.user_agent))]
    rows += [(f"status at which it stops: {cause}", str(status)) for cause, status in traits.fatal_status.items()]
    seen = [(what, agent.sees[what]) for what in SEES]
    refused = [(code(command), reason) for command, reason in agent.refused_commands.items()]
    return "\n\n".join(
        [
            f"## {agent.display_name}",
            first_paragraph(module.__doc__),
            table(("", ""), rows),
            "### What it sees of yours",
            table(("", "when moor starts it"), seen),
            "### Refused sub-commands",
            table(("command", "why, and what to type instead"), refused),
        ]
    )
