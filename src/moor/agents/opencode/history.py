"""What OpenCode sees of the user's own, and its conversations: carried by its own `export` and `import`."""

from __future__ import annotations

from typing import Final

from moor.agents.base import Transfer, TransferContext

SEES: Final = {
    "settings": "a filtered copy of opencode.json and tui.json: no providers, no plugins, no MCP servers",
    "instructions": "AGENTS.md of the repository and of ~/.config/opencode",
    "skills": "those of ~/.config/opencode and of the repository",
    "commands": "those of ~/.config/opencode and of the repository",
    "agents": "those of ~/.config/opencode and of the repository, without their models",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "those of a trusted repository",
    "history": "moor's own",
}


def transfers(context: TransferContext) -> tuple[Transfer, ...]:  # noqa: ARG001
    """Conversations of the folder, newest first."""
    return ()
