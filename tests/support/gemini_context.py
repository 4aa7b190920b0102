"""A launch context of Gemini CLI for tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from moor.agents.base import Installed, LaunchContext
from moor.domain.dialects import GEMINI_GENERATE
from moor.domain.models import Model
from tests.support.opencode_context import make_context

MAIN = Model(id="ws.gemini-3-5-pro", family="gemini", dialects=(GEMINI_GENERATE,), context=1_048_576, reasoning=True)
SMALL = Model(id="ws.gemini-2-5-flash", family="gemini", dialects=(GEMINI_GENERATE,), max_output=65_536)


def gemini_context(folder: Path, **changes: Any) -> LaunchContext:
    """Below `folder`: `user` (HOME), `work` (the repository), `home`, `session`, and a `bin` with a Node.js."""
    program = folder / "bin" / "node"
    program.parent.mkdir(exist_ok=True)
    program.touch(mode=0o755)
    made = make_context(folder)
    fields: dict[str, Any] = {
        "installed": Installed("/v/node_modules/@google/gemini-cli/bundle/gemini.js", "0.61.0", "moor"),
        "model": MAIN,
        "small_model": SMALL,
        "models": (MAIN, SMALL),
        "environ": {**made.environ, "PATH": f"{program.parent}{os.pathsep}/usr/bin"},
        **changes,
    }
    return make_context(folder, **fields)


def plant(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
