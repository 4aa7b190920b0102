"""A launch context of Hermes for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moor.agents.base import Installed, LaunchContext
from moor.agents.hermes.release import PINNED
from tests.support.opencode_context import make_context


def hermes_context(folder: Path, **changes: Any) -> LaunchContext:
    """Below `folder`: `user` (HOME), `work` (the repository), `home`, `session`."""
    return make_context(folder, **{"installed": Installed(str(folder / "v/bin/python"), PINNED, "moor"), **changes})
