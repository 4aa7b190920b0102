"""Wheel build hook: writes the commit the wheel was built from into `moor/_build.txt`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds one text file; an sdist without git history gets none, and `moor --version` shows no commit."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        commit = self._commit()
        if commit:
            handle, name = tempfile.mkstemp(suffix=".txt")
            with open(handle, "w", encoding="utf-8") as file:
                file.write(commit)
            build_data["force_include"][name] = "moor/_build.txt"

    def _commit(self) -> str:
        if not (Path(self.root) / ".git").exists():
            return ""
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=self.root, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()
