"""Waiting for the end of a process that is not our child, and for the end of its terminal."""

from __future__ import annotations

import asyncio
import os
import signal

from moor.run import proc

POLL_S = 1.0
HANGUP_GRACE_S = 2.0


async def ended(pid: int, start: float, pidfd: int | None = None) -> None:
    """Returns when the process is gone. A pidfd, opened before its exec, wakes us at once; else once a second.

    A process that lost its terminal (window closed, connection dropped) and did not end by the hang-up within
    2 s is told to (TERM, then KILL): nobody could ever see or stop it otherwise.
    """
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    if pidfd is not None:
        loop.add_reader(pidfd, gone.set)
    had_terminal = _has_terminal(pid)
    try:
        while proc.alive(pid, start) and not gone.is_set():
            await _wait(gone, POLL_S)
            if had_terminal and not gone.is_set() and not _has_terminal(pid):
                await _hang_up(pid, start, gone)
    finally:
        if pidfd is not None:
            loop.remove_reader(pidfd)
            os.close(pidfd)


async def _hang_up(pid: int, start: float, gone: asyncio.Event) -> None:
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
        await _wait(gone, HANGUP_GRACE_S / 2)
        if gone.is_set() or not proc.send(pid, start, number):
            return


async def _wait(gone: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(gone.wait(), seconds)
    except TimeoutError:
        return


def _has_terminal(pid: int) -> bool:
    """Whether the process has a controlling terminal now; the kernel clears it when the terminal is hung up."""
    fields = proc.stat_fields(pid) if proc.LINUX else None
    return fields is not None and fields[4] != "0"
