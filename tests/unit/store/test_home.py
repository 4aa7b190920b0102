"""One private home, refused with words where it cannot be private or written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from moor.errors.store import HomeForeignError, HomeUnwritableError, SocketFolderError
from moor.store.home import UNIX_PATH_MAX, Home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_named_by_moor_home_else_it_is_in_the_users_home(tmp_path: Path) -> None:
    assert Home.from_environ({"MOOR_HOME": "/srv/m", "HOME": "/h"}).root == Path("/srv/m")
    assert Home.from_environ({"HOME": str(tmp_path)}).root == tmp_path / ".moor"
    assert Home.from_environ({"MOOR_HOME": "", "HOME": "/h"}).root == Path("/h/.moor")


def test_a_relative_home_is_made_absolute_so_that_it_stays_the_same_after_a_change_of_folder() -> None:
    assert Home.from_environ({"MOOR_HOME": "x/../y"}).root == Path.cwd() / "y"


def test_a_home_of_an_unknown_user_is_refused_with_a_hint() -> None:
    with pytest.raises(HomeUnwritableError) as caught:
        Home.from_environ({"MOOR_HOME": "~no-such-user-here/m"})
    assert "MOOR_HOME" in caught.value.hint


def test_naming_the_paths_creates_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "m")
    assert home.config_path.parent == home.db_path.parent == home.credentials_path.parent == home.root
    assert not home.root.exists()


def test_everything_created_is_open_to_the_owner_only(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        home = Home(tmp_path / "m")
        session = home.session_dir("ses_1")
    finally:
        os.umask(previous)
    assert [mode(path) for path in (home.root, home.sessions_dir, session)] == [0o700] * 3


def test_a_home_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    home = Home(tmp_path)
    tmp_path.chmod(0o755)
    home.ensure()
    assert mode(tmp_path) == 0o700


def test_a_home_of_another_user_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(HomeForeignError) as caught:
        Home(tmp_path, uid=os.geteuid() + 1).ensure()
    assert caught.value.owner == os.geteuid()
    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_home_should_be_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(HomeUnwritableError):
        Home(tmp_path / "file" / below).ensure()


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(HomeUnwritableError):
        Home(tmp_path / "a").ensure()


def test_a_link_to_a_folder_of_ones_own_is_a_home(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    Home(tmp_path / "link").ensure()
    assert mode(tmp_path / "real") == 0o700


AS_SOMEBODY_WITHOUT_RIGHTS = """
import os, sys
from moor.cli.main import run
warm, forbidden, *argv = sys.argv[1:]
os.environ["MOOR_HOME"] = warm
assert run(argv) == 0  # loads all that is needed, while it can still be read
if os.geteuid() == 0:
    os.setuid(65534)
os.environ["MOOR_HOME"] = forbidden
sys.exit(run(argv))
"""


@pytest.mark.parametrize("exists", [False, True])
def test_a_read_only_home_is_refused_with_exit_code_2(tmp_path: Path, exists: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if exists:
            Path(folder, "m").mkdir(mode=0o500)
            if os.geteuid() == 0:
                os.chown(Path(folder, "m"), 65534, 65534)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [
                *(sys.executable, "-c", AS_SOMEBODY_WITHOUT_RIGHTS, tmp_path / "warm", f"{folder}/m"),
                *("config", "set", "defaults.model", "m"),
            ],
            env={"HOME": folder, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        Path(folder).chmod(0o755)
    assert done.returncode == 2, done.stderr
    assert f"error: home-unwritable: moor cannot write to {folder}/m\n" in done.stderr
    assert "hint: use another home: export MOOR_HOME=" in done.stderr


def test_sockets_live_in_the_runtime_folder_of_the_user(tmp_path: Path) -> None:
    folder = Home(tmp_path / "m", {"XDG_RUNTIME_DIR": str(tmp_path)}).socket_dir()
    assert folder == tmp_path / "moor"
    assert mode(folder) == 0o700


def test_without_a_runtime_folder_sockets_live_in_the_temporary_one(tmp_path: Path) -> None:
    for environ in ({}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "relative"}, {"XDG_RUNTIME_DIR": "/no/such"}):
        folder = Home(tmp_path / "m", {"TMPDIR": str(tmp_path), **environ}).socket_dir()
        assert folder == tmp_path / f"moor-{os.geteuid()}"


def test_a_path_too_long_for_a_socket_is_passed_over(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    folder = Home(tmp_path / "m", {"XDG_RUNTIME_DIR": str(long), "TMPDIR": str(tmp_path)}).socket_dir()
    assert folder.parent == tmp_path
    assert len(os.fsencode(folder / "ses_0123456789abcdef.sock")) <= UNIX_PATH_MAX


def test_a_socket_folder_that_somebody_else_laid_out_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "m", {"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}, uid=os.geteuid() + 1)
    with pytest.raises(SocketFolderError) as caught:
        home.socket_dir()
    assert "belongs to user id" in caught.value.context
    Path(f"/tmp/moor-{os.geteuid() + 1}").rmdir()


def test_a_link_in_place_of_the_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "moor").symlink_to(tmp_path / "elsewhere")
    folder = Home(tmp_path / "m", {"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}).socket_dir()
    assert folder == tmp_path / f"moor-{os.geteuid()}"
