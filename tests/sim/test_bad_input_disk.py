"""A home on a full, a read-only, a foreign disk: said in words, and nothing that was stored is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import namespace
from tests.support.home import MoorHome
from tests.support.moor import Done, run_moor_process
from tests.support.trouble import assert_result, assert_told

WRITING = (
    ["upstream", "add", "t", "--kind", "sim"],
    ["config", "set", "defaults.model", "other"],
    ["models", "--refresh"],
    ["keys", "create", "second"],
    ["run", "--json", "hello"],
)


@pytest.fixture
def stored(moor_home: MoorHome, tmp_path: Path) -> MoorHome:
    """A home with an upstream and a database, and an agent in name only."""
    program = (
        tmp_path / "agents" / "opencode" / "1.18.33" / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"
    )
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 99\n", encoding="utf-8")
    program.chmod(0o700)
    moor_home.environ["MOOR_TEST_AGENTS"] = str(tmp_path / "agents")
    for argv in (["upstream", "add", "s", "--kind", "sim"], ["keys", "create", "first"]):
        done = run_moor_process(argv, moor_home.environ, cwd=moor_home.work)
        assert done.code == 0, done.stderr
    return moor_home


def moor(home: MoorHome, *argv: str, before: list[str] | None = None) -> Done:
    """The real command."""
    return run_moor_process(argv, home.environ, cwd=home.work, before=before or ())


@pytest.mark.parametrize("argv", WRITING, ids=" ".join)
def test_a_full_disk_is_told_and_what_was_stored_is_unchanged(argv: list[str], stored: MoorHome) -> None:
    held = (stored.root / "config.toml").read_bytes()
    done = moor(stored, *argv, before=namespace.full_disk(stored.root))
    assert_told(done, 1, "disk-full", "df -h", str(stored.root))
    if "--json" in argv:
        assert_result(done, "failed", "disk-full")
    assert (stored.root / "config.toml").read_bytes() == held
    assert "first" in moor(stored, "keys", "list").stdout


@pytest.mark.parametrize("argv", WRITING, ids=" ".join)
def test_a_read_only_home_is_told_with_another_place_to_take(argv: list[str], stored: MoorHome) -> None:
    done = moor(stored, *argv, before=namespace.read_only(stored.root))
    assert_told(done, 2, "home-unwritable", "export MOOR_HOME=")
    if "--json" in argv:
        assert_result(done, "failed", "home-unwritable")


def test_settings_and_models_can_be_read_from_a_read_only_home(stored: MoorHome) -> None:
    for argv in (["models"], ["config", "show"], ["upstream", "list"], ["auth", "status"]):
        done = moor(stored, *argv, before=namespace.read_only(stored.root))
        assert done.code == 0, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_another_user_is_refused_and_left_alone(stored: MoorHome) -> None:
    os.chown(stored.root, 54321, 54321)
    before = sorted(path.name for path in stored.root.rglob("*"))
    for argv in (["run", "--json", "hello"], ["upstream", "add", "t", "--kind", "sim"], ["keys", "create", "second"]):
        assert_told(moor(stored, *argv), 2, "home-foreign", "belongs to another user", "export MOOR_HOME=")
    assert sorted(path.name for path in stored.root.rglob("*")) == before


def test_a_file_in_place_of_the_home_is_refused(moor_home: MoorHome) -> None:
    moor_home.root.write_text("not a folder", encoding="utf-8")
    done = moor(moor_home, "upstream", "add", "s", "--kind", "sim")
    assert_told(done, 2, "file-unreadable", "ls -ld", str(moor_home.root))
    assert moor_home.root.read_text(encoding="utf-8") == "not a folder"


def test_a_home_inside_a_file_is_refused(moor_home: MoorHome) -> None:
    (moor_home.user / "file").write_text("", encoding="utf-8")
    environ = {**moor_home.environ, "MOOR_HOME": str(moor_home.user / "file" / "moor")}
    done = run_moor_process(["upstream", "add", "s", "--kind", "sim"], environ, cwd=moor_home.work)
    assert_told(done, 2, "file-unreadable", "ls -ld", environ["MOOR_HOME"])
