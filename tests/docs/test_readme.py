"""The commands of the read-me run: on the simulator where they need a model."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from scripts.reference.notes import ROOT
from tests.support.home import MoorHome
from tests.support.moor import Done

README = ROOT / "README.md"
Run = Callable[..., Done]


def block(heading: str) -> list[list[str]]:
    """Words of each `moor` line in the first code block below a heading."""
    text = README.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    found = re.search(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"no code block below {heading!r}"
    lines = [shlex.split(line) for line in found[1].splitlines()]
    return [words[1:] for words in lines if words[:1] == ["moor"]]


def test_quick_starts_are_five_lines_each() -> None:
    heads = re.findall(r"^## (Five lines .*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(heads) == 3
    assert all(len(block(head)) == 4 for head in heads)


def test_entries_named_in_the_read_me_exist() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", README.read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named - {"lists"} <= targets


@pytest.mark.real
@pytest.mark.usefixtures("test_agents")
def test_the_quick_start_on_the_simulator_runs(run_moor: Run, moor_home: MoorHome) -> None:
    subprocess.run(["git", "init", "-q"], cwd=moor_home.work, env=moor_home.environ, check=True)
    for words in block("Five lines for the simulator"):
        run_line(run_moor, words)
    written = (moor_home.work / "simulated.txt").read_text(encoding="utf-8")
    assert written == "written by the simulated model\n"


@pytest.mark.real
@pytest.mark.feature("F3.7")
@pytest.mark.usefixtures("test_agents")
def test_the_quick_start_on_an_engine_of_your_own_runs(run_moor: Run, sim_engine: Any) -> None:
    for words in block("Five lines for an engine of your own"):
        run_line(run_moor, [word.replace("http://127.0.0.1:11434", sim_engine.url) for word in words])


@pytest.mark.real
@pytest.mark.usefixtures("test_agents")
def test_the_quick_start_for_a_workspace_runs(run_moor: Run, sim: Any) -> None:
    browser = f"{sys.executable} -m moor.cli.demo.browser %s"
    for words in block("Five lines for a workspace"):
        line = [word.replace("https://my-workspace.cloud.databricks.com", sim.url) for word in words]
        run_line(run_moor, line, {"BROWSER": browser})


def run_line(run_moor: Run, line: list[str], env: dict[str, str] | None = None) -> None:
    """One line of a quick start must succeed; of what takes over a terminal the plan is enough."""
    if line == ["opencode"]:
        line = ["--dry-run", *line]
    done = run_moor(*line, env=env, timeout=90)
    assert done.code == 0, f"moor {' '.join(line)}\n{done.stdout}\n{done.stderr}"
