"""Files are replaced whole or not at all; locks hold between processes and die with their holder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moor.errors.store import FileUnreadableError, HomeUnwritableError, LockTimeoutError
from moor.store.files import locked, read_bounded, remove_tree_private, write_atomic, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_0600_whatever_the_umask_and_whatever_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o644)
    previous = os.umask(0)
    try:
        write_private(path, b"new")
    finally:
        os.umask(previous)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    write_private(tmp_path / "f", b"x")
    write_atomic(tmp_path / "f", b"y")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_private_file_replaces_a_link_and_leaves_what_it_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_private(tmp_path / "link", b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert not (tmp_path / "link").is_symlink()


def test_a_users_file_is_replaced_through_links_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "target").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "target").read_bytes(), mode(tmp_path / "target")) == (b"new", 0o640)


def test_what_cannot_be_written_leaves_the_old_content_and_no_rest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(HomeUnwritableError):
        write_private(tmp_path / "file" / "below", b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(HomeUnwritableError):
        write_private(tmp_path / "folder", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_reader_never_sees_half_a_file_while_a_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_private(path, b"a" * 100_000)
    script = (
        "import sys, pathlib\nfrom moor.store.files import write_private\n"
        "print(flush=True)\n"
        "while True:\n    for c in b'ab': write_private(pathlib.Path(sys.argv[1]), bytes([c]) * 100_000)"
    )
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            for _ in range(50):
                data = path.read_bytes()
                assert len(data) == 100_000
                assert len(set(data)) == 1
            writer.kill()
        assert len(path.read_bytes()) == 100_000


def test_reading_is_bounded_and_refuses_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    assert read_bounded(tmp_path / "f", 5) == b"12345"
    assert read_bounded(tmp_path / "absent", 5) is None
    for path, limit in (("f", 4), ("pipe", 5), (".", 5), ("f/below", 5)):
        with pytest.raises(FileUnreadableError):
            read_bounded(tmp_path / path, limit)


def test_one_thread_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path / "l"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


def test_a_lock_that_is_held_times_out_with_a_hint(tmp_path: Path) -> None:
    with locked(tmp_path / "l"), pytest.raises(LockTimeoutError) as caught, locked(tmp_path / "l", timeout_s=0.02):
        pass
    assert "fuser" in caught.value.hint


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib\nfrom moor.store.files import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "l")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockTimeoutError), locked(tmp_path / "l", timeout_s=0):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with locked(tmp_path / "l", timeout_s=1):
            pass


def test_a_lock_is_free_after_an_error_in_its_body(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path / "l"):
        raise KeyError
    started = time.monotonic()
    with locked(tmp_path / "l", timeout_s=0):
        assert started


def test_removing_a_tree_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "f").write_bytes(b"x")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "keep")
    (tmp_path / "alias").symlink_to(tmp_path / "keep")
    for name in ("tree", "alias", "never-was"):
        remove_tree_private(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keep"]
    assert (tmp_path / "keep" / "f").exists()
