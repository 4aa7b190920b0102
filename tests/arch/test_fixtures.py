"""The shared fixtures do what the tests rely on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.guard import is_loopback
from tests.support.home import MoorHome
from tests.support.leaks import Snapshot, settled
from tests.support.moor import run_moor_process


def test_a_connect_beyond_loopback_fails_the_test() -> None:
    with socket.socket() as sock, pytest.raises(pytest.fail.Exception, match="loopback only"):
        sock.connect(("192.0.2.1", 80))


def test_a_connect_to_loopback_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1", "::"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "2001:db8::1", "localhost.example.com"])
def test_other_machines_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_an_open_descriptor_is_seen_as_a_leak(tmp_path: Path) -> None:
    before = Snapshot.take()
    with (tmp_path / "left").open("w", encoding="utf-8"):
        assert [line for line in settled(before, 0.1) if "left" in line]
    assert not settled(before, 1)


def test_a_running_thread_is_seen_as_a_leak() -> None:
    before = Snapshot.take()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="lingering")
    thread.start()
    assert "thread lingering" in settled(before, 0.1)
    end.set()
    thread.join()
    assert not settled(before, 1)


def test_a_running_child_is_seen_as_a_leak() -> None:
    before = Snapshot.take()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert f"process {child.pid}" in settled(before, 0.1)
    child.communicate()
    assert not settled(before, 1)


def test_nothing_of_the_developers_reaches_a_test_home(moor_home: MoorHome) -> None:
    assert moor_home.environ["HOME"] != os.environ.get("HOME")
    assert not list(moor_home.user.iterdir())
    assert not moor_home.root.exists()
    assert {name for name in moor_home.environ if name.startswith("MOOR_")} <= {"MOOR_HOME", "MOOR_TEST_AGENTS"}


def test_a_command_past_its_time_is_killed(moor_home: MoorHome) -> None:
    with pytest.raises(AssertionError, match=r"took over 0\.0 s"):
        run_moor_process(["--help"], moor_home.environ, cwd=moor_home.work, timeout=0.0)
