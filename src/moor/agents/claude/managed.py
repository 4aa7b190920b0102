"""Settings that an administrator has put on this machine for Claude Code: they win, so what collides is named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from moor.agents import jsonc

_FOLDERS: Final = {"darwin": "/Library/Application Support/ClaudeCode"}
_COLLIDE: Final = (
    "apiKeyHelper",
    "model",
    "availableModels",
    "modelOverrides",
    "disableAllHooks",
    "forceLoginMethod",
)


def managed_folder() -> Path:
    """Where the machine's own settings stand (facts, 2)."""
    return Path(_FOLDERS.get(sys.platform, "/etc/claude-code"))


def notes(folder: Path) -> tuple[str, ...]:
    """A sentence for each file that sets what moor decides; () on most machines."""
    if not folder.is_dir():
        return ()
    files = [folder / "managed-settings.json", *sorted((folder / "managed-settings.d").glob("*.json"))]
    found = ((path, _collisions(path)) for path in files)
    return tuple(
        f"{path} sets {', '.join(names)}, which this session cannot change; ask your administrator if calls fail"
        for path, names in found
        if names
    )


def _collisions(path: Path) -> list[str]:
    try:
        value: Any = jsonc.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(value, dict):
        return []
    env = value.get("env") if isinstance(value.get("env"), dict) else {}
    names = [f"env.{name}" for name in env or () if name.startswith(("ANTHROPIC_", "CLAUDE_CODE_"))]
    return [*names, *(name for name in _COLLIDE if value.get(name))]
