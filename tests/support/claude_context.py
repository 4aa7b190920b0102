"""A launch context of Claude Code for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moor.agents.base import Installed, LaunchContext
from moor.agents.claude.release import PINNED
from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.models import Model
from tests.support.opencode_context import make_context as generic

_DIALECTS = (ANTHROPIC_MESSAGES,)
SONNET = Model(id="w.claude-sonnet-5", family="claude", dialects=_DIALECTS, context=200_000, max_output=64_000)
OPUS = Model(id="w.claude-opus-4-8", family="claude", dialects=_DIALECTS, context=1_000_000)
OLDER = Model(id="w.claude-opus-4-6", family="claude", dialects=_DIALECTS, context=200_000)
HAIKU = Model(id="w.claude-haiku-4-5", family="claude", dialects=_DIALECTS, context=200_000)
MODELS = (SONNET, OPUS, OLDER, HAIKU)


def make_context(folder: Path, **changes: Any) -> LaunchContext:
    """Below `folder`: `user` (HOME), `work` (the repository), `home`, `session`."""
    fields: dict[str, Any] = {
        "installed": Installed(str(folder / "claude"), PINNED, "moor"),
        "model": SONNET,
        "small_model": HAIKU,
        "models": MODELS,
        **changes,
    }
    return generic(folder, **fields)


def write(folder: Path, files: dict[str, str]) -> None:
    """Files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
