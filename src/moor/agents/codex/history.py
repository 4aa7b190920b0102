"""What Codex sees of the user's own, and its conversations: one file each, below the day on which they began.

Tried on 0.169.0: a file that is put below `sessions` is found by its id (`resume ID`, `fork ID`); one that names
another provider is refused by `resume`. So the provider's name in its head is changed on the way (`carry`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from moor.agents.base import Transfer, TransferContext

SEES: Final = {
    "settings": "habits of ~/.codex/config.toml: approvals, sandbox, effort, interface; no providers, no profiles",
    "instructions": "AGENTS.md of the repository and of ~/.codex",
    "skills": "those of ~/.codex, ~/.agents and of the repository",
    "commands": "none; Codex has skills instead",
    "agents": "none",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "hooks of a trusted repository; no plugins",
    "history": "moor's own; moor session import and export carry conversations",
}
OWN_PROVIDER: Final = "openai"
"""what Codex takes where its settings name no other"""
_SESSIONS: Final = "sessions"
_NAME: Final = re.compile(r"rollout-.*-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl")
_HEAD_BYTES: Final = 256 * 1024
_TITLE_MAX: Final = 80


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS."""
    from moor.agents.codex.config import PROVIDER
    from moor.agents.codex.user_config import own_home

    ours, theirs = context.home / _SESSIONS, own_home(context.user_home, context.environ) / _SESSIONS
    source, target = (ours, theirs) if context.to_agent_home else (theirs, ours)
    provider = OWN_PROVIDER if context.to_agent_home else PROVIDER
    cwd = os.path.realpath(context.cwd)
    found = [_transfer(path, source, target, provider, cwd) for path in source.rglob("rollout-*.jsonl")]
    return tuple(sorted((one for one in found if one), key=lambda one: one.updated_at, reverse=True))


def _transfer(path: Path, source: Path, target: Path, provider: str, cwd: str) -> Transfer | None:
    """None for a conversation of another folder, or of a sub-agent."""
    from moor.run.spawn import python_argv

    named, head = _NAME.fullmatch(path.name), list(_head(path))
    about = _payload(head[0]) if head else {}
    if named is None or os.path.realpath(str(about.get("cwd", ""))) != cwd or isinstance(about.get("source"), dict):
        return None
    to = target / path.relative_to(source)
    return Transfer(
        id=named.group(1),
        title=_title(head),
        updated_at=path.stat().st_mtime,
        commands=(tuple(python_argv("moor.agents.codex.carry", str(path), str(to), provider)),),
        there=to.exists(),
    )


def _title(head: list[dict[str, Any]]) -> str:
    """The first thing that the user said; what Codex says in the user's name begins with a mark."""
    for record in head:
        payload = _payload(record)
        content = payload.get("content")
        if payload.get("role") == "user" and isinstance(content, list):
            text = " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
            if text and not text.lstrip().startswith("<"):
                return " ".join(text.split())[:_TITLE_MAX]
    return ""


def _payload(record: dict[str, Any]) -> dict[str, Any]:
    payload = record.get("payload")
    return payload if isinstance(payload, dict) else {}


def _head(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file.read(_HEAD_BYTES).splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record
