"""Wheel build hook: writes the commit the wheel was built from into `moor/_build.txt`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface[Any]):
    """Adds one text file; a source tree without git history gets none, and `moor --version` shows no commit."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is written; an editable install reads the checkout instead."""
        self._folder = tempfile.TemporaryDirectory()
        commit = "" if version == "editable" else self._commit()
        if commit:
            note = Path(self._folder.name) / "_build.txt"
            note.write_text(commit, encoding="utf-8")
            build_data["force_include"][str(note)] = "moor/_build.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after the wheel is written: removes the temporary file."""
        del version, build_data, artifact_path
        self._folder.cleanup()

    def _commit(self) -> str:
        if not (Path(self.root) / ".git").exists():
            return ""
        command = ["git", "rev-parse", "--short=12", "HEAD"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, encoding="utf-8", check=False)
        return done.stdout.strip()
