"""What Claude Code sees of the user's own, and its conversations: one file each, below the name of their folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from moor.agents.base import Transfer, TransferContext

SEES: Final = {
    "settings": "a filtered copy of settings.json and of the theme: no env, no helpers, no models, no status line",
    "instructions": "CLAUDE.md of ~/.claude and of the repository, with what they import, not those of subfolders; "
    "a copy of the project's memory",
    "skills": "those of ~/.claude; those of a trusted repository",
    "commands": "those of ~/.claude and of the repository, whose shell commands stay text",
    "agents": "those of ~/.claude and of the repository, on allowed models only",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "hooks of a trusted repository; no plugins",
    "history": "moor's own; moor session import and export carry conversations",
}
PROJECTS: Final = "projects"
_HEAD_BYTES: Final = 64 * 1024
_TITLE_MAX: Final = 80


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first: copies of their files. BLOCKS."""
    from moor.agents.claude.user_config import config_folder

    ours = context.home / PROJECTS / slug(context.cwd)
    theirs = config_folder(context.user_home, context.environ) / PROJECTS / slug(context.cwd)
    source, target = (ours, theirs) if context.to_agent_home else (theirs, ours)
    found = [_transfer(path, target) for path in source.glob("*.jsonl")] if source.is_dir() else []
    return tuple(sorted(found, key=lambda one: one.updated_at, reverse=True))


def _transfer(path: Path, target: Path) -> Transfer:
    beside = sorted(file for file in path.with_suffix("").rglob("*") if file.is_file())
    files = [path, *beside]
    return Transfer(
        id=path.stem,
        title=_title(path),
        updated_at=path.stat().st_mtime,
        copies=tuple((file, target / file.relative_to(path.parent)) for file in files),
    )


def slug(cwd: str) -> str:
    """The folder's name below `projects` (facts, 2)."""
    return re.sub(r"[^a-zA-Z0-9]", "-", os.path.realpath(cwd))


def _title(path: Path) -> str:
    """The first thing that the user said."""
    for record in _head(path):
        content = record["message"].get("content") if isinstance(record.get("message"), dict) else None
        if record.get("type") == "user" and not record.get("isMeta") and isinstance(content, str):
            return " ".join(content.split())[:_TITLE_MAX]
    return ""


def _head(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file.read(_HEAD_BYTES).splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record
