"""The end of the agent is noticed, whether it ends, is killed, or loses its terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time

from moor.run import proc
from moor.run.watch import ended


def start_of(pid: int) -> float:
    began = proc.start_time(pid)
    assert began is not None
    return began


async def wait_end(pid: int, start: float, pidfd: int | None) -> float:
    before = time.monotonic()
    await asyncio.wait_for(ended(pid, start, pidfd), 8)
    return time.monotonic() - before


def test_a_killed_process_is_noticed_by_its_pidfd():
    child = subprocess.Popen(["sleep", "60"])
    fd = proc.open_pidfd(child.pid)
    start = start_of(child.pid)

    async def scene() -> float:
        asyncio.get_running_loop().call_later(0.1, child.kill)
        return await wait_end(child.pid, start, fd)

    assert asyncio.run(scene()) < 5
    child.wait()


def test_without_a_pidfd_the_end_is_noticed_by_looking():
    child = subprocess.Popen(["sleep", "0.2"])
    asyncio.run(wait_end(child.pid, start_of(child.pid), None))
    child.wait()


def test_a_process_that_survives_the_loss_of_its_terminal_is_ended():
    code = "import signal,time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])
    assert b"up" in os.read(master, 100)
    fd, start = proc.open_pidfd(pid), start_of(pid)

    async def scene() -> None:
        asyncio.get_running_loop().call_later(0.2, os.close, master)
        await wait_end(pid, start, fd)

    asyncio.run(scene())
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) in (signal.SIGTERM, signal.SIGKILL)
