"""Which package holds the program on which machine, and which of several versions is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.claude import CLAUDE, PINNED
from moor.agents.claude.release import _INTEGRITY, find, platform_package, recipe
from moor.agents.platform import Machine
from moor.errors.agent import AgentInstallFailed, AgentMissing, AgentVersionUnfit
from moor.store.home import Home


@pytest.mark.parametrize(
    ("machine", "package"),
    [
        (Machine("linux", "x64"), "linux-x64"),
        (Machine("linux", "x64", avx2=False), "linux-x64"),
        (Machine("linux", "arm64", musl=True), "linux-arm64-musl"),
        (Machine("darwin", "arm64"), "darwin-arm64"),
    ],
)
def test_a_machine_has_its_package_with_a_pinned_digest(machine: Machine, package: str) -> None:
    what = recipe(machine)
    assert what.packages == (f"@anthropic-ai/claude-code-{package}@{PINNED}",)
    assert what.pinned
    assert what.integrity[platform_package(machine)].startswith("sha512-")


def test_a_machine_it_is_not_built_for_is_told() -> None:
    with pytest.raises(AgentInstallFailed, match="not built"):
        platform_package(Machine("linux", "ia32"))


@pytest.mark.feature("F6.13")
def test_another_version_is_not_checked_against_the_pinned_digests() -> None:
    what = recipe(Machine("linux", "x64"), "2.1.150")
    assert (what.version, what.pinned, what.integrity) == ("2.1.150", False, {})
    assert len(set(_INTEGRITY.values())) == len(_INTEGRITY)


def place(folder: Path, version: str) -> None:
    path = folder / CLAUDE.id / version / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
    path.parent.mkdir(parents=True)
    path.touch()


@pytest.mark.feature("F6.12")
def test_the_pinned_version_is_started_and_one_that_cannot_work_is_refused(tmp_path: Path) -> None:
    environ = {"MOOR_TEST_AGENTS": str(tmp_path)}
    with pytest.raises(AgentMissing):
        find(Home(tmp_path / "home"), environ)
    place(tmp_path, "1.0.1")
    with pytest.raises(AgentVersionUnfit):
        find(Home(tmp_path / "home"), environ)
    place(tmp_path, "2.1.300")
    place(tmp_path, PINNED)
    assert find(Home(tmp_path / "home"), environ).version == PINNED
    assert CLAUDE.version_note(PINNED) == ""
    assert "moor agents install claude" in CLAUDE.version_note("2.1.300")
