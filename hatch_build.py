"""Wheel build hook: writes the commit the wheel was built from into `moor/_build.txt`.

With `MOOR_COMPILE=1` the wheel holds the gateway's hot modules compiled beside their sources, and is one for this
platform and Python; else it is one for all.
"""

from __future__ import annotations

import importlib.util
import os
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
        if os.environ.get("MOOR_COMPILE") and version != "editable":
            self._compile(build_data)

    def dependencies(self) -> list[str]:
        """What a build needs beside hatchling."""
        return ["mypy>=1.15", "setuptools>=75", "msgspec>=0.20"] if os.environ.get("MOOR_COMPILE") else []

    def _compile(self, build_data: dict[str, Any]) -> None:
        spec = importlib.util.spec_from_file_location("compiled", Path(self.root) / "scripts" / "compiled.py")
        assert spec is not None
        assert spec.loader is not None
        compiled = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(compiled)
        made = Path(self._folder.name) / "compiled"
        try:
            compiled.build(made)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"the gateway could not be compiled: {error.stderr or error.stdout}") from error
        for file in made.rglob("*"):
            if file.is_file():
                build_data["force_include"][str(file)] = str(file.relative_to(made))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

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
