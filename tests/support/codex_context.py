"""A launch context of Codex for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from moor.agents.base import Installed, LaunchContext
from moor.agents.codex.release import PINNED
from moor.domain.dialects import OPENAI_RESPONSES
from moor.domain.models import Model
from tests.support.opencode_context import make_context

MAIN = Model(id="gpt-x", family="gpt", dialects=(OPENAI_RESPONSES,), context=400_000, max_output=128_000)
SMALL = Model(id="gpt-y", family="gpt", dialects=(OPENAI_RESPONSES,))


def codex_context(folder: Path, **changes: Any) -> LaunchContext:
    """Below `folder`: `user` (HOME), `work` (the repository), `home`, `session`."""
    program = str(folder / "v" / "bin" / "codex")
    fields: dict[str, Any] = {
        "installed": Installed(program, PINNED, "moor"),
        "model": MAIN,
        "small_model": SMALL,
        "models": (MAIN, SMALL),
        **changes,
    }
    context = make_context(folder, **fields)
    # tests work below the temporary folder, where users have no home
    return msgspec.structs.replace(context, environ={"TMPDIR": "/nowhere/tmp", **context.environ})
