from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.opencode import OPENCODE
from moor.agents.opencode.release import ID, PINNED, find, platform_package, recipe, version_note
from moor.agents.platform import Machine
from moor.errors.agent import AgentInstallFailed, AgentMissing, AgentVersionUnfit
from moor.store.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def put(folder: Path, version: str, *, complete: bool = True) -> None:
    program = folder / ID / version / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"
    program.parent.mkdir(parents=True)
    program.write_text("", encoding="utf-8")
    if complete:
        (folder / ID / version / "moor.json").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("machine", "package"),
    [
        (Machine("linux", "x64"), "opencode-linux-x64"),
        (Machine("linux", "x64", avx2=False), "opencode-linux-x64-baseline"),
        (Machine("linux", "x64", musl=True, avx2=False), "opencode-linux-x64-baseline-musl"),
        (Machine("linux", "arm64", musl=True), "opencode-linux-arm64-musl"),
        (Machine("darwin", "arm64"), "opencode-darwin-arm64"),
    ],
)
def test_the_package_fits_the_machine(machine: Machine, package: str) -> None:
    assert platform_package(machine) == package
    what = recipe(machine)
    assert what.packages == (f"{package}@{PINNED}",)
    assert what.pinned
    assert what.extras[0].startswith("@vscode/ripgrep-")


def test_a_machine_it_is_not_built_for_is_told_so() -> None:
    with pytest.raises(AgentInstallFailed, match="not built"):
        platform_package(Machine("linux", "riscv64"))


@pytest.mark.feature("F12.27")
def test_a_missing_agent_says_what_to_type(home: Home) -> None:
    with pytest.raises(AgentMissing) as caught:
        find(home, {})
    assert caught.value.hint == "moor agents install opencode"
    assert caught.value.exit_code == 5


def test_the_one_installed_last_is_started_else_the_pinned_else_the_newest(home: Home) -> None:
    for version in ("1.18.9", "1.18.10"):
        put(home.agents_dir, version)
    assert find(home, {}).version == "1.18.10"
    put(home.agents_dir, PINNED)
    assert find(home, {}).version == PINNED
    (home.agents_dir / ID / "current").write_text("1.18.9\n", encoding="utf-8")
    assert find(home, {}).version == "1.18.9"


def test_an_interrupted_install_is_not_taken(home: Home) -> None:
    put(home.agents_dir, "1.18.40", complete=False)
    with pytest.raises(AgentMissing):
        find(home, {})


@pytest.mark.feature("F6.12")
@pytest.mark.parametrize("version", ["1.17.9", "2.0.0", "0.3.1"])
def test_a_version_that_cannot_work_is_refused_with_the_way_back(home: Home, version: str) -> None:
    put(home.agents_dir, version)
    with pytest.raises(AgentVersionUnfit) as caught:
        find(home, {})
    assert caught.value.exit_code == 5
    assert PINNED in caught.value.message


def test_only_the_tested_version_goes_without_a_note() -> None:
    assert version_note(PINNED) == ""
    assert "1.19.0" in version_note("1.19.0")
    assert OPENCODE.version_note("1.18.1")


def test_tests_may_name_a_folder_of_unpacked_agents(home: Home, tmp_path: Path) -> None:
    put(tmp_path / "given", PINNED, complete=False)
    found = find(home, {"MOOR_TEST_AGENTS": str(tmp_path / "given")})
    assert (found.version, found.source) == (PINNED, "env")
