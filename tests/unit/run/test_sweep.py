"""A session's processes are found by what they inherit and stopped, wherever they hide."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from moor.run import proc
from moor.run.sweep import ancestor_session, processes_of, sweep


@pytest.fixture
def start():
    """Starts processes of a session and ends what a test leaves."""
    children: list[subprocess.Popen[bytes]] = []

    def run(session_id: str, code: str, **more: object) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "MOOR_SESSION": session_id},
            stdout=subprocess.PIPE,
            **more,
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        return child

    yield run
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def gone(child: subprocess.Popen[bytes]) -> int:
    return child.wait(timeout=5)


@pytest.mark.feature("F12.11")
def test_a_process_in_a_session_of_its_own_is_swept(start):
    child = start("ses_a", SLEEPER, start_new_session=True)
    assert child.pid in sweep("ses_a")
    assert gone(child) == -signal.SIGTERM


def test_a_process_that_ignores_term_is_killed_after_the_grace_time(start):
    child = start("ses_b", STUBBORN)
    sweep("ses_b", grace_s=0.2)
    assert gone(child) == -signal.SIGKILL


def test_a_stopped_process_is_swept(start):
    child = start("ses_c", SLEEPER)
    os.kill(child.pid, signal.SIGSTOP)
    sweep("ses_c")
    assert gone(child) == -signal.SIGTERM


def test_a_child_with_an_emptied_environment_is_swept_while_its_parent_lives(start):
    code = (
        "import subprocess,sys,time; p = subprocess.Popen(['sleep', '60'], env={}, start_new_session=True);"
        "print('up', flush=True); time.sleep(60)"
    )
    parent = start("ses_d", code)
    met = processes_of("ses_d")
    assert len(met) == 2
    sweep("ses_d")
    gone(parent)
    deadline = time.monotonic() + 5
    while any(proc.alive(pid, began) for pid, began in met.items()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(proc.alive(pid, began) for pid, began in met.items())


def test_other_sessions_and_longer_ids_are_left_alone(start):
    child = start("ses_e2", SLEEPER)
    assert sweep("ses_e") == []
    assert child.poll() is None


def test_spared_processes_are_left_alone(start):
    child = start("ses_f", SLEEPER)
    assert sweep("ses_f", spare={child.pid}) == []
    assert child.poll() is None


def test_a_pid_with_another_start_time_is_not_signalled(start):
    child = start("ses_g", SLEEPER)
    began = proc.start_time(child.pid)
    assert began is not None
    assert not proc.send(child.pid, began - 1, signal.SIGKILL)
    assert child.poll() is None
    assert proc.alive(child.pid, began)


def test_a_zombie_does_not_count_as_alive():
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 5
    while proc.start_time(child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert proc.start_time(child.pid) is None
    child.wait()


def test_a_command_inside_a_session_knows_it_even_with_its_own_environment_emptied(start):
    code = (
        "import subprocess,sys; print('up', flush=True); sys.stdin.readline();"
        "subprocess.run([sys.executable, '-c', 'from moor.run.sweep import ancestor_session;"
        "print(ancestor_session({}), flush=True)'], env={})"
    )
    child = start("ses_h", code, stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.close()
    assert child.stdout.readline().strip() == b"ses_h"


def test_outside_of_a_session_there_is_none():
    assert ancestor_session({}) == os.environ.get("MOOR_SESSION", "")
