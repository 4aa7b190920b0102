"""Agents fetched by the real npm from a registry on loopback: what goes well, what goes wrong, and ways back."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.opencode.release import ID, PINNED, platform_package
from moor.agents.platform import this_machine
from tests.support import namespace
from tests.support.home import MoorHome
from tests.support.moor import Done, moor_command, run_moor_process
from tests.support.registry import Registry, running_registry
from tests.support.trouble import assert_told

NEXT = "1.18.98"
LATER = "1.18.99"
PACKAGE = platform_package(this_machine())
LEFT = '"$@"; code=$?; echo left: $(ls -A "$0/agents/opencode"); exit $code'
"""shell: a command, then what it left on the disk that it alone sees"""
PROGRAM = {"bin/opencode": "#!/bin/sh\nsleep 60\n"}

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")


@pytest.fixture
def registry() -> Iterator[Registry]:
    """Two later versions than the tested one, published long ago."""
    with running_registry() as registry:
        for version in (NEXT, LATER):
            registry.add(PACKAGE, version, PROGRAM)
            registry.add("opencode-ai", version, {})
        yield registry


class Place:
    """A home without agents, and npm pointed at the registry."""

    def __init__(self, home: MoorHome, registry: Registry) -> None:
        self.home = home
        mirrors = {**registry.environ, "PIP_INDEX_URL": f"{registry.url}simple"}
        self.environ = {k: v for k, v in home.environ.items() if k != "MOOR_TEST_AGENTS"} | mirrors
        self.folder = home.root / "agents" / ID

    def agents(self, *argv: str, before: list[str] | None = None, **env: str) -> Done:
        """`moor agents ARGV` to its end."""
        environ = {**self.environ, **env}
        return run_moor_process(["agents", *argv], environ, cwd=self.home.work, timeout=90, before=before or ())

    def must(self, *argv: str) -> Done:
        """The same, where 0 is expected."""
        done = self.agents(*argv)
        assert done.code == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """The same, left running."""
        return subprocess.Popen(
            [*moor_command(), "agents", *argv], env=self.environ, cwd=self.home.work, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """The agent's entry in the list."""
        found: list[dict[str, Any]] = self.must("--json").last_json
        return next(one for one in found if one["agent"] == ID)

    def left(self) -> list[str]:
        """What lies in the agent's folder, but for the lock."""
        return sorted(entry.name for entry in self.folder.iterdir() if entry.name != ".lock")


@pytest.fixture
def place(moor_home: MoorHome, registry: Registry) -> Place:
    return Place(moor_home, registry)


@pytest.mark.feature("F6.11", "F6.12", "F6.13", "F6.14")
def test_an_upgrade_keeps_the_version_before_and_one_that_runs(place: Place, registry: Registry) -> None:
    first = place.must("install", ID, "--version", NEXT)
    assert "was not tested" in first.stdout
    assert f"back to {PINNED}: moor agents install {ID}" in first.stdout
    registry.add(PACKAGE, "1.18.50", PROGRAM)
    registry.add("opencode-ai", "1.18.50", {}, days_old=101)
    place.must("install", ID, "--version", "1.18.50")
    runs = subprocess.Popen([place.state()["path"]], stdin=subprocess.DEVNULL)
    try:
        done = place.must("upgrade", ID, "--version", LATER)
        assert f"moor agents install {ID} --version 1.18.50" in done.stdout
        assert "sessions that run keep OpenCode 1.18.50" in done.stderr
        assert place.left() == ["1.18.50", LATER, "current"]
        asked = len(registry.requests)
        place.must("install", ID, "--version", "1.18.50")
        assert place.state()["installed"] == "1.18.50"
        place.must("install", ID, "--version", LATER)
        assert len(registry.requests) == asked, "the way back needs no network"
        assert_told(place.agents("remove", ID), 1, "agent-in-use", str(runs.pid), "moor ps")
        assert place.left() == ["1.18.50", LATER, "current"]
    finally:
        runs.kill()
        runs.wait()
    place.must("remove", ID)
    assert place.left() == []


@pytest.mark.feature("F6.13")
def test_the_newest_is_asked_for_only_when_told_and_taken_only_when_it_is_old_enough(
    place: Place, registry: Registry
) -> None:
    place.must()
    assert not registry.requests
    registry.add("opencode-ai", "1.18.100", {}, days_old=2)
    registry.add(PACKAGE, "1.18.100", PROGRAM, days_old=2)
    assert place.state()["newest"] is None
    assert "1.18.100" in place.must("--newest").stdout
    asked = len(registry.requests)
    assert place.state()["newest"] == "1.18.100"
    assert len(registry.requests) == asked
    place.must("install", ID, "--version", LATER)
    assert_told(place.agents("upgrade", ID, "--newest"), 2, "agent-release-too-young", "--allow-new")
    assert place.state()["installed"] == LATER
    config = place.home.root / "config.toml"
    config.write_text("[install]\nmin_age_days = 1\n", encoding="utf-8")
    place.must("upgrade", ID, "--newest")
    assert place.state()["installed"] == "1.18.100"


@pytest.mark.feature("F6.12")
def test_a_version_that_cannot_work_is_not_kept(place: Place, registry: Registry) -> None:
    place.must("install", ID, "--version", NEXT)
    registry.add(PACKAGE, "2.1.0", PROGRAM)
    registry.add("opencode-ai", "2.1.0", {})
    assert_told(place.agents("install", ID, "--version", "2.1.0"), 5, "agent-version", "2.1.0", PINNED)
    assert place.left() == [NEXT, "current"]
    assert place.state()["installed"] == NEXT


@pytest.mark.feature("F6.13")
@pytest.mark.parametrize("fault", ["cut", "lie"])
def test_a_package_that_does_not_arrive_whole_and_true_leaves_nothing(
    fault: str, place: Place, registry: Registry
) -> None:
    registry.fault = fault
    done = place.agents("install", ID, "--version", NEXT)
    assert_told(done, 5, "agent-install", "announced" if fault == "lie" else "could not be installed")
    assert place.left() == []
    registry.fault = ""
    place.must("install", ID, "--version", NEXT)


@pytest.mark.feature("F6.13")
def test_another_content_under_the_tested_versions_name_is_refused(place: Place, registry: Registry) -> None:
    registry.add(PACKAGE, PINNED, PROGRAM)
    done = place.agents("install", ID)
    assert_told(done, 5, "agent-install", "is not the one this moor was tested with", "registry mirror")
    assert place.left() == []


def test_a_mirror_without_the_version_is_told(place: Place) -> None:
    done = place.agents("install", ID)
    assert_told(done, 5, "agent-not-in-registry", PINNED, "npm config get registry")


def test_two_installs_at_once_fetch_once(place: Place, registry: Registry) -> None:
    registry.fault = "hang"
    first = place.start("install", ID, "--version", NEXT)
    assert registry.asked.wait(60)
    second = place.start("install", ID, "--version", NEXT)
    # the second says that it waits before the first may go on
    said = second.stderr.readline() if second.stderr else ""
    registry.go_on.set()
    outs = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outs
    assert "another install of opencode is under way" in said
    assert len([path for path in registry.downloads() if PACKAGE in path]) == 1


def test_an_install_that_waits_for_another_can_be_stopped(place: Place, registry: Registry) -> None:
    registry.fault = "hang"
    first = place.start("install", ID, "--version", NEXT)
    assert registry.asked.wait(60)
    second = place.start("install", ID, "--version", NEXT)
    assert second.stderr is not None
    assert "is under way" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert second.wait(10) == 130
    registry.go_on.set()
    first.communicate(timeout=60)
    second.communicate()
    assert first.returncode == 0
    assert place.left() == [NEXT, "current"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_install_that_is_stopped_takes_npm_and_its_folder_with_it(
    number: signal.Signals, place: Place, registry: Registry
) -> None:
    registry.fault = "hang"
    install = place.start("install", ID, "--version", NEXT)
    assert registry.asked.wait(60)
    os.kill(install.pid, number)
    out, err = install.communicate(timeout=15)
    assert install.returncode == 130, out + err
    assert place.left() == []
    assert not running_in(place.folder)


def test_a_first_launch_that_is_stopped_while_it_installs_leaves_nothing(place: Place, registry: Registry) -> None:
    registry.add(PACKAGE, PINNED, PROGRAM)
    registry.fault = "hang"
    added = run_moor_process(["upstream", "add", "s", "--kind", "sim"], place.environ, cwd=place.home.work)
    assert added.code == 0, added.stderr
    launch = subprocess.Popen(
        [*moor_command(), ID], env=place.environ, cwd=place.home.work, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert registry.asked.wait(60)
    launch.terminate()
    out, err = launch.communicate(timeout=15)
    assert launch.returncode == 130, out + err
    assert place.left() == []
    assert not running_in(place.folder)


def test_what_a_killed_install_left_is_swept_by_the_next(place: Place, registry: Registry) -> None:
    registry.fault = "hang"
    install = place.start("install", ID, "--version", NEXT)
    assert registry.asked.wait(60)
    install.kill()
    install.communicate(timeout=15)
    assert [name for name in place.left() if name.startswith(".new-")]
    registry.fault = ""
    registry.go_on.set()
    end = time.monotonic() + 30
    while running_in(place.folder) and time.monotonic() < end:
        time.sleep(0.05)
    place.must("install", ID, "--version", NEXT)
    assert place.left() == [NEXT, "current"]


def test_a_disk_that_fills_half_way_is_told_and_leaves_room(place: Place, registry: Registry) -> None:
    registry.add(PACKAGE, LATER, {**PROGRAM, "big": secrets.token_hex(4 << 20)})
    disk = place.home.root
    disk.mkdir(mode=0o700)
    before = [*namespace.small_disk(disk, "10m"), "sh", "-c", LEFT, str(disk)]
    done = place.agents("install", ID, "--version", LATER, before=before)
    assert_told(done, 5, "agent-install", "the disk is full", "free some space")
    assert "left: .lock" in done.stdout, done.stdout


def test_a_full_disk_and_a_read_only_home_are_told(place: Place) -> None:
    place.must("install", ID, "--version", NEXT)
    full = place.agents("install", ID, "--version", LATER, before=namespace.full_disk(place.home.root))
    assert full.code in (1, 5), full.stderr
    assert "No space left on device" in full.stderr or "disk is full" in full.stderr, full.stderr
    locked = place.agents("install", ID, "--version", LATER, before=namespace.read_only(place.home.root))
    assert_told(locked, 2, "home-unwritable", "export MOOR_HOME=")
    assert place.left() == [NEXT, "current"]


def test_a_proxy_of_the_environment_is_used(place: Place, registry: Registry) -> None:
    done = place.agents(
        *("install", ID, "--version", NEXT), npm_config_registry="http://registry.invalid/", HTTP_PROXY=registry.url
    )
    assert done.code == 0, done.stderr
    assert any(path.startswith("http://registry.invalid/") for path in registry.requests)


@pytest.mark.feature("F6.13")
def test_packages_from_a_folder_need_neither_npm_nor_network(
    place: Place, registry: Registry, tmp_path: Path
) -> None:
    folder = tmp_path / "carried over"
    folder.mkdir()
    (folder / "one.tgz").write_bytes(registry.tarballs[PACKAGE, NEXT])
    empty = tmp_path / "empty"
    empty.mkdir()
    argv = ("install", ID, "--version", NEXT, "--from", str(folder))
    assert_told(place.agents(*argv, PATH=str(empty)), 5, "agent-install", "when it was published", "--allow-new")
    done = place.agents(*argv, "--allow-new", PATH=str(empty))
    assert done.code == 0, done.stderr
    assert "lacks @vscode/ripgrep" in done.stderr
    assert not registry.requests
    record = json.loads((place.folder / NEXT / "moor.json").read_text(encoding="utf-8"))
    assert record["packages"][PACKAGE].startswith("sha512-")
    other = place.agents("install", ID, "--from", str(folder / "one.tgz"))
    assert_told(other, 5, "agent-install", f"{PACKAGE}@{PINNED} is not among the files", "npm pack")


def running_in(folder: Path) -> list[int]:
    """Processes that stand in a folder below that one."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str((entry / "cwd").readlink()).startswith(str(folder)):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.feature("F6.11", "F6.15")
def test_a_program_on_path_is_used_when_told_and_moor_has_none(place: Place, tmp_path: Path) -> None:
    program = tmp_path / "bin" / ID
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {PINNED}\n", encoding="utf-8")
    program.chmod(0o755)
    place.environ["PATH"] = f"{program.parent}:{place.environ['PATH']}"
    assert place.state()["source"] is None
    assert str(program) in place.must("enable", ID, "--path").stderr
    assert (place.state()["source"], place.state()["path"]) == ("path", str(program))
    place.must("install", ID, "--version", NEXT)
    assert place.state()["source"] == "moor"
    assert f"moor agents remove {ID}" in place.must("enable", ID, "--path").stderr
    program.write_text("#!/bin/sh\necho 0.3.1\n", encoding="utf-8")
    place.must("remove", ID)
    assert "0.3.1 does not work with this moor" in place.state()["note"]
