"""What Codex sees of the user's own."""

from __future__ import annotations

from typing import Final

from moor.agents.base import Transfer, TransferContext

SEES: Final = {
    "settings": "habits of ~/.codex/config.toml: approvals, sandbox, effort, interface; no providers, no profiles",
    "instructions": "AGENTS.md of the repository and of ~/.codex",
    "skills": "those of ~/.codex, ~/.agents and of the repository",
    "commands": "none; Codex has skills instead",
    "agents": "none",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "hooks of a trusted repository; no plugins",
    "history": "moor's own; moor session import brings yours",
}


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS on files."""
    from moor.agents.codex import carried

    return carried.transfers(context)
