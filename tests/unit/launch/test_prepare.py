"""The directory a session works in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moor.errors.launch import NoSuchDirectory
from moor.launch.prepare import working_directory


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A folder to stand in that is also reachable over a link."""
    real = tmp_path / "real folder"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    before = Path.cwd()
    os.chdir(real)
    yield real
    os.chdir(before)


def test_the_shells_own_spelling_is_kept_where_it_is_the_same_place(standing: Path) -> None:
    link = standing.parent / "link"
    assert working_directory("", {"PWD": str(link)}) == str(link)


def test_a_stale_or_relative_pwd_is_not_believed(standing: Path) -> None:
    for pwd in (str(standing.parent), "/nowhere/at/all", "relative", ""):
        assert working_directory("", {"PWD": pwd}) == str(standing)


def test_a_named_directory_wins_over_pwd(standing: Path) -> None:
    assert working_directory(str(standing.parent), {"PWD": str(standing)}) == str(standing.parent)


def test_a_directory_that_is_not_there_or_a_file_is_refused(standing: Path) -> None:
    (standing / "file").touch()
    for path in ("missing", "file"):
        with pytest.raises(NoSuchDirectory):
            working_directory(str(standing / path), {})
