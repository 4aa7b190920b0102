"""A home of its own for each test: nothing of the developer's reaches it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

PASSED_ON = ("PATH", "TMPDIR", "PYENV_ROOT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""what a clean environment takes over from the machine"""


class MoorHome(NamedTuple):
    """Folders of one imaginary user."""

    user: Path
    """HOME"""
    root: Path
    """MOOR_HOME: not yet created"""
    work: Path
    """an empty folder to stand in"""
    environ: dict[str, str]
    """the whole environment to start a process with"""


def fresh_home(folder: Path) -> MoorHome:
    """Make the folders below `folder` and the environment that points at them."""
    user, work = folder / "user", folder / "work"
    user.mkdir(mode=0o700)
    work.mkdir()
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environ |= {
        "HOME": str(user),
        "MOOR_HOME": str(user / ".moor"),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Tester",
        "GIT_AUTHOR_EMAIL": "tester@example.invalid",
        "GIT_COMMITTER_NAME": "Tester",
        "GIT_COMMITTER_EMAIL": "tester@example.invalid",
    }
    if "MOOR_TEST_AGENTS" in os.environ:
        environ["MOOR_TEST_AGENTS"] = os.environ["MOOR_TEST_AGENTS"]
    return MoorHome(user, user / ".moor", work, environ)
