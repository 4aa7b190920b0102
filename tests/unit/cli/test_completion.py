"""Completion scripts are valid in their shells and know every command and agent."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from moor.agents import AGENTS
from moor.cli.completion import SHELLS
from moor.cli.registry import COMMANDS
from tests.support.moor import Done

Run = Callable[..., Done]
CHECK = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "-n"], "tcsh": ["tcsh", "-n"]}

ASK = """
source "$1"; shift
COMP_WORDS=(moor "$@"); COMP_CWORD=$#
_shtab_moor
echo "${COMPREPLY[*]}"
"""
"""what bash does when Tab is pressed"""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_every_command_and_agent_and_its_shell_reads_it(
    run_moor: Run, tmp_path: Path, shell: str
) -> None:
    done = run_moor("completion", shell)
    assert done.code == 0
    for name in (*COMMANDS, *AGENTS):
        assert name in done.stdout
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(done.stdout, encoding="utf-8")
        assert subprocess.run([*CHECK[shell], path], check=False).returncode == 0


@pytest.mark.parametrize(
    ("typed", "expected"), [("stat", "status"), ("config s", "show set"), ("usage --la", "--last")]
)
def test_bash_completes_commands_actions_and_options(
    run_moor: Run, tmp_path: Path, typed: str, expected: str
) -> None:
    path = tmp_path / "script"
    path.write_text(run_moor("completion", "bash").stdout, encoding="utf-8")
    done = subprocess.run(["bash", "-c", ASK, "ask", path, *typed.split()], capture_output=True, check=True)
    assert done.stdout.decode().split() == expected.split()


def test_an_unknown_shell_is_refused_with_the_known_ones(run_moor: Run) -> None:
    done = run_moor("completion", "cmd")
    assert done.code == 2
    assert "bash" in done.stderr
