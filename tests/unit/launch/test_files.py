"""Writing the private files and links of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.plan import LaunchPlan, PlannedFile, PlannedLink
from moor.errors.store import HomeUnwritableError
from moor.launch.files import write_files
from moor.store.leavings import end_folder


def plan(**what: object) -> LaunchPlan:
    return LaunchPlan(argv=("x",), env={}, cwd="/", **what)  # type: ignore[arg-type]


@pytest.mark.feature("F5.2")
def test_files_are_private_and_links_lead_to_what_lasts(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    file = PlannedFile(str(tmp_path / "session" / "a" / "b.json"), b"{}")
    links = (PlannedLink(str(tmp_path / "session" / "l" / "history"), str(kept / "history")),)
    write_files(plan(files=(file,), links=links), tmp_path / "session")
    assert (tmp_path / "session" / "a").stat().st_mode & 0o777 == 0o700
    assert Path(file.path).stat().st_mode & 0o777 == 0o600
    kept.mkdir()
    (tmp_path / "session" / "l" / "history").write_text("typed", encoding="utf-8")
    assert (kept / "history").read_text(encoding="utf-8") == "typed"


def test_a_link_that_is_there_already_stays(tmp_path: Path) -> None:
    link = PlannedLink(str(tmp_path / "l"), str(tmp_path / "new"))
    (tmp_path / "l").symlink_to(tmp_path / "old")
    write_files(plan(links=(link,)), tmp_path / "session")
    assert (tmp_path / "l").readlink() == tmp_path / "old"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises((HomeUnwritableError, OSError)):
        write_files(plan(links=(PlannedLink(str(tmp_path / "file" / "l"), "/x"),)), tmp_path / "session")


@pytest.mark.feature("F12.11")
def test_what_a_killed_sandbox_leaves_empty_is_removed_at_the_end_and_nothing_else(tmp_path: Path) -> None:
    work, session = tmp_path / "work", tmp_path / "session"
    for name in ("kept", "other"):
        (work / name).mkdir(parents=True)
    session.mkdir(mode=0o700)
    names = ("kept", "left", "filled", "link", "never")
    write_files(plan(leavings=tuple(str(work / name) for name in names)), session)
    (work / "left").mkdir()
    (work / "filled").mkdir()
    (work / "filled" / "file").touch()
    (work / "link").symlink_to(work / "other")
    end_folder(session)
    assert sorted(path.name for path in work.iterdir()) == ["filled", "kept", "link", "other"]
    assert not session.exists()


def test_a_damaged_note_of_what_may_be_left_removes_nothing(tmp_path: Path) -> None:
    for text in ("{", '{"a": 1}', "[1]", '"x"'):
        session = tmp_path / "session"
        session.mkdir(mode=0o700)
        (session / "leavings.json").write_text(text, encoding="utf-8")
        end_folder(session)
        assert not session.exists()
