from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from moor.drive.changes import changed, snapshot
from tests.support.home import MoorHome


@pytest.fixture
def git(moor_home: MoorHome) -> Path:
    for argv in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *argv], cwd=moor_home.work, env=moor_home.environ, check=True)
    return moor_home.work


def run(home: MoorHome, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=home.work, env=home.environ, check=True, capture_output=True)


def test_new_changed_and_removed_files_are_named(git: Path, moor_home: MoorHome) -> None:
    for name in ("kept", "edited", "gone"):
        (git / name).write_text("1", encoding="utf-8")
    run(moor_home, "add", "-A")
    run(moor_home, "commit", "-qm", "files")
    before = snapshot(str(git), moor_home.environ)
    (git / "edited").write_text("2", encoding="utf-8")
    (git / "gone").unlink()
    (git / "new").mkdir()
    (git / "new" / "file with spaces").write_text("", encoding="utf-8")
    assert changed(before, snapshot(str(git), moor_home.environ), moor_home.environ) == (
        "edited",
        "gone",
        "new/file with spaces",
    )


def test_what_was_dirty_before_counts_only_when_it_changes_again(git: Path, moor_home: MoorHome) -> None:
    for name in ("left", "touched"):
        (git / name).write_text("dirty", encoding="utf-8")
    before = snapshot(str(git), moor_home.environ)
    (git / "touched").write_text("other", encoding="utf-8")
    assert changed(before, snapshot(str(git), moor_home.environ), moor_home.environ) == ("touched",)


def test_what_the_run_committed_is_named_too(git: Path, moor_home: MoorHome) -> None:
    (git / "dirty").write_text("before", encoding="utf-8")
    before = snapshot(str(git), moor_home.environ)
    (git / "made").write_text("1", encoding="utf-8")
    run(moor_home, "add", "-A")
    run(moor_home, "commit", "-qm", "by the agent")
    assert changed(before, snapshot(str(git), moor_home.environ), moor_home.environ) == ("made",)


def test_the_first_commit_of_a_repository_is_no_stumbling_block(moor_home: MoorHome) -> None:
    run(moor_home, "init", "-q")
    before = snapshot(str(moor_home.work), moor_home.environ)
    (moor_home.work / "a").write_text("1", encoding="utf-8")
    run(moor_home, "add", "-A")
    run(moor_home, "commit", "-qm", "first")
    assert changed(before, snapshot(str(moor_home.work), moor_home.environ), moor_home.environ) == ("a",)


def test_ignored_files_are_not_reported(git: Path, moor_home: MoorHome) -> None:
    (git / ".gitignore").write_text("build/\n", encoding="utf-8")
    before = snapshot(str(git), moor_home.environ)
    (git / "build").mkdir()
    (git / "build" / "x").write_text("", encoding="utf-8")
    assert changed(before, snapshot(str(git), moor_home.environ), moor_home.environ) == ()


def test_without_git_files_are_compared_by_size_and_time(moor_home: MoorHome) -> None:
    (moor_home.work / "a").write_text("1", encoding="utf-8")
    (moor_home.work / "same").write_text("1", encoding="utf-8")
    before = snapshot(str(moor_home.work), moor_home.environ)
    (moor_home.work / "a").write_text("22", encoding="utf-8")
    (moor_home.work / "b").write_text("", encoding="utf-8")
    (moor_home.work / "node_modules").mkdir()
    (moor_home.work / "node_modules" / "x").write_text("", encoding="utf-8")
    after = snapshot(str(moor_home.work), moor_home.environ)
    assert changed(before, after, moor_home.environ) == ("a", "b")


def test_no_program_that_a_repositorys_config_names_is_run(git: Path, moor_home: MoorHome, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    run(moor_home, "config", "core.fsmonitor", f"touch {proof}")
    hook = git / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n", encoding="utf-8")
    hook.chmod(0o755)
    (git / "a").write_text("1", encoding="utf-8")
    snapshot(str(git), moor_home.environ)
    assert not proof.exists()


def test_a_machine_without_git_is_looked_at_all_the_same(moor_home: MoorHome, tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(moor_home.user)}
    (moor_home.work / "a").write_text("1", encoding="utf-8")
    before = snapshot(str(moor_home.work), environ)
    os.utime(moor_home.work / "a", ns=(1, 1))
    assert changed(before, snapshot(str(moor_home.work), environ), environ) == ("a",)
