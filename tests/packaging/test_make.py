"""The entry points say what they offer and, in one sentence, what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap
from tests.packaging.conftest import ROOT

NAMED = ("demo", "test", "check", "test-full", "docs", "lock", "build", "bench")


def folder_with(tmp_path: Path, *tools: str) -> str:
    """A PATH that holds these programs only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return str(folder)


def start(command: list[str], path: str) -> subprocess.CompletedProcess[str]:
    """Run with that PATH; output as text."""
    environ = {"PATH": path, "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_make_alone_lists_the_entries() -> None:
    done = start(["make"], os.environ["PATH"])
    listed = set(re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE))
    assert done.returncode == 0
    assert set(NAMED) <= listed


def test_every_target_is_listed() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.PHONY: (\S+)", text, re.MULTILINE)) == set(
        re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE)
    )


def test_a_missing_python_is_one_sentence(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "bash", "env", "dirname")
    done = start([str(ROOT / "scripts" / "bootstrap"), "env"], path)
    assert done.returncode == 1
    assert re.fullmatch(r"error: Python 3\.11 or newer is missing; install it .*\n", done.stderr)


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "bash", "env", "dirname")
    old = Path(path) / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = start([str(ROOT / "scripts" / "bootstrap"), "env"], path)
    assert done.returncode == 1
    assert "Python 3.11 or newer is missing" in done.stderr


@pytest.mark.parametrize("missing", ["git", "node", "npm"])
def test_a_missing_tool_is_one_sentence(tmp_path: Path, missing: str) -> None:
    path = folder_with(tmp_path, *({"git", "node", "npm"} - {missing}))
    script = str(ROOT / "scripts" / "bootstrap.py")
    command = [
        sys.executable,
        script,
        "agents",
        "--venv",
        str(tmp_path / "env"),
        "--agents",
        str(tmp_path / "agents"),
    ]
    done = start(command, path)
    assert done.returncode == 1
    assert re.fullmatch(rf"error: {missing} is missing; install it .*\n", done.stderr)


def test_an_agent_that_cannot_be_installed_fails_the_build(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "git", "node", "npm")
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" >&2\nexit 5\n', encoding="utf-8")
    python.chmod(0o755)
    script = str(ROOT / "scripts" / "bootstrap.py")
    folders = ("--venv", str(tmp_path / "env"), "--agents", str(tmp_path / "agents"))
    done = start([sys.executable, script, "agents", *folders], path)
    assert done.returncode == 1
    assert f"-m moor agents install {' '.join(bootstrap.AGENTS)}\n" in done.stderr
    assert "error: an agent could not be installed" in done.stderr
    assert not (tmp_path / "agents" / ".stamp").exists()


def test_an_environment_that_is_as_wanted_is_left_alone(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "bootstrap.py")
    command = [sys.executable, script, "env", "--venv", str(tmp_path / "env")]
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    (tmp_path / "env" / ".stamp").write_text(bootstrap.wanted(tmp_path / "env"), encoding="utf-8")
    done = start(command, os.environ["PATH"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
