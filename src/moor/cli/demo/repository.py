"""The little repository of the demo: a git checkout with a failing test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from moor.errors import UsageError

_WHO = ("-c", "user.name=Moorage demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")


class DemoRepository:
    """A checkout in a temporary directory; every git call ignores the user's own git config."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self.root = root
        root.mkdir()
        for name, text in files.items():
            (root / name).write_text(text.lstrip("\n"), encoding="utf-8")
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git(*_WHO, "commit", "--quiet", "--message", "A shop with a wrong discount")

    def diff(self) -> str:
        """What the agent changed, as a unified diff."""
        return self._git("diff", "--no-color", "--no-ext-diff")

    def test(self) -> tuple[bool, str]:
        """Run the tests; whether they passed, and their last line."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "unittest", "discover", "-q"],
            cwd=self.root,
            capture_output=True,
            encoding="utf-8",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        lines = (done.stderr or done.stdout).strip().splitlines() or [""]
        return done.returncode == 0, lines[-1]

    def _git(self, *args: str) -> str:
        env = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": _path(), "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ["git", *args], cwd=self.root, env=env, capture_output=True, encoding="utf-8", check=True, timeout=30
            )
        except FileNotFoundError as error:
            raise UsageError("the demo needs git and found none", hint="install git, then: moor demo") from error
        except subprocess.CalledProcessError as error:
            raise UsageError("git refused to make the demo's repository", context=error.stderr.strip()) from error
        return done.stdout


def _path() -> str:
    import os

    return os.environ.get("PATH", os.defpath)
