from __future__ import annotations

import os
from pathlib import Path

import pytest

from moor.agents.repository import MAX_FILES, Refused, Repository


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / ".git").mkdir(parents=True)
    (root / "deep" / "er").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return root


def test_the_root_is_the_git_work_tree_and_folders_are_listed_from_there_down(tree: Path) -> None:
    repository = Repository(str(tree / "deep" / "er"))
    assert repository.root == str(tree)
    assert repository.upward() == [str(tree), str(tree / "deep"), str(tree / "deep" / "er")]


def test_without_git_the_folder_itself_is_the_root(tmp_path: Path) -> None:
    assert Repository(str(tmp_path)).upward() == [str(tmp_path)]


def test_a_link_out_of_the_tree_is_refused(tree: Path) -> None:
    (tree / "AGENTS.md").symlink_to("../secret.txt")
    with pytest.raises(Refused, match="link out"):
        Repository(str(tree)).read(str(tree / "AGENTS.md"))


def test_a_linked_folder_out_of_the_tree_is_refused(tree: Path) -> None:
    (tree / "docs").symlink_to("..")
    repository = Repository(str(tree))
    with pytest.raises(Refused, match="link out"):
        repository.read(str(tree / "docs" / "secret.txt"))
    assert list(repository.files(str(tree / "docs"))) == []


def test_a_link_inside_the_tree_is_followed(tree: Path) -> None:
    (tree / "real.md").write_text("rules", encoding="utf-8")
    (tree / "AGENTS.md").symlink_to("real.md")
    assert Repository(str(tree)).read(str(tree / "AGENTS.md")) == "rules"


def test_what_is_not_a_small_text_file_is_refused(tree: Path) -> None:
    repository = Repository(str(tree))
    os.mkfifo(tree / "pipe")
    (tree / "big").write_bytes(b"x" * 2_000)
    (tree / "bin").write_bytes(b"\xff\xfe\x00")
    for name, why in (("pipe", "regular"), ("deep", "regular"), ("bin", "UTF-8")):
        with pytest.raises(Refused, match=why):
            repository.read(str(tree / name))
    with pytest.raises(Refused, match="larger"):
        repository.read(str(tree / "big"), 1_000)
    assert repository.read(str(tree / "missing")) is None


def test_listing_is_bounded_and_skips_what_is_not_the_repositorys(tree: Path) -> None:
    for number in range(MAX_FILES + 20):
        (tree / "deep" / f"{number:04}.md").write_text("", encoding="utf-8")
    (tree / "deep" / "node_modules").mkdir()
    (tree / "deep" / "node_modules" / "x.md").write_text("", encoding="utf-8")
    found = list(Repository(str(tree)).files(str(tree / "deep"), (".md",)))
    assert len(found) == MAX_FILES
    assert not any("node_modules" in path for path in found)
