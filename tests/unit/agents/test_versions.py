"""Versions side by side: the one that runs stays, half-done ones are swept."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents.recipe import current_version, installed_versions
from moor.agents.versions import in_use, prune, remove
from moor.errors.agent import AgentInUse
from moor.store.home import Home

AGENT = "tool"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        folder = home.agents_dir / AGENT / version / "bin"
        folder.mkdir(parents=True)
        shutil.copy("/bin/sleep", folder / "tool")
        (folder.parent / "moor.json").write_text("{}", encoding="utf-8")
    (home.agents_dir / AGENT / "current").write_text("1.2.0\n", encoding="utf-8")
    return home


@pytest.fixture
def runs(home: Home) -> Iterator[int]:
    """The pid of version 1.0.0 at work."""
    with subprocess.Popen([home.agents_dir / AGENT / "1.0.0" / "bin" / "tool", "60"]) as process:
        yield process.pid
        process.kill()


def versions(home: Home) -> list[str]:
    return sorted(installed_versions(home.agents_dir / AGENT))


def test_a_version_that_runs_is_known_by_its_process(home: Home, runs: int) -> None:
    folders = [home.agents_dir / AGENT / version for version in versions(home)]
    assert in_use(folders) == {folders[0]: [runs]}
    assert in_use([]) == {}


@pytest.mark.feature("F6.14")
def test_pruning_keeps_what_is_named_what_is_started_and_what_runs(home: Home, runs: int) -> None:
    assert prune(home, AGENT, ("1.1.0",)) == []
    assert prune(home, AGENT, ()) == ["1.1.0"]
    assert versions(home) == ["1.0.0", "1.2.0"]


def test_a_version_that_runs_is_not_removed_and_nothing_else_is_either(home: Home, runs: int) -> None:
    with pytest.raises(AgentInUse, match=str(runs)) as caught:
        remove(home, AGENT)
    assert "moor ps" in caught.value.hint
    assert versions(home) == ["1.0.0", "1.1.0", "1.2.0"]
    assert remove(home, AGENT, "1.2.0") == ["1.2.0"]
    assert current_version(home.agents_dir / AGENT) == ""


def test_a_removal_that_was_killed_is_finished_by_the_next(home: Home) -> None:
    half = home.agents_dir / AGENT / ".gone-0.9.0"
    half.mkdir()
    assert remove(home, AGENT, "1.0.0") == ["1.0.0"]
    assert not half.exists()
