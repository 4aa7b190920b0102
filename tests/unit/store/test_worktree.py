"""Repository and branch from git's files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from moor.store.worktree import Worktree, root_of, worktree


def git(folder: Path, *args: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "topic/x")
    return folder


def test_a_folder_outside_of_a_repository_has_neither(tmp_path: Path) -> None:
    assert worktree(str(tmp_path)) == Worktree("", "")


def test_an_empty_git_folder_makes_no_work_tree(tmp_path: Path) -> None:
    """As a killed sandbox leaves it in /tmp."""
    (tmp_path / ".git").mkdir()
    below = tmp_path / "a"
    below.mkdir()
    assert root_of(below) is None
    git(below, "init", "-q")
    assert root_of(below) == below


def test_without_a_remote_it_is_named_by_its_folder(repo: Path) -> None:
    below = repo / "a" / "b"
    below.mkdir(parents=True)
    assert worktree(str(below)) == Worktree("mine", "topic/x")


def test_the_remote_is_named_without_what_signs_in(repo: Path) -> None:
    git(repo, "remote", "add", "other", "https://host/other.git")
    git(repo, "remote", "add", "origin", "https://me:ghp_secret@host.example/team/app.git")
    assert worktree(str(repo)).repository == "https://host.example/team/app"


def test_a_linked_work_tree_and_a_detached_head_are_understood(repo: Path, tmp_path: Path) -> None:
    git(repo, "remote", "add", "origin", "git@host:team/app.git")
    git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    assert worktree(str(tmp_path / "linked")) == Worktree("git@host:team/app", "other")
    git(repo, "checkout", "-q", "--detach")
    assert len(worktree(str(repo)).branch) == 12


def test_hostile_files_are_bounded_and_cleaned(repo: Path) -> None:
    (repo / ".git" / "HEAD").write_bytes(b"ref: refs/heads/\x1b[31mred\n" + b"x" * 10_000_000)
    assert len(worktree(str(repo)).branch) <= 200
    assert "\x1b" not in worktree(str(repo)).branch
