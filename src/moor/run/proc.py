"""Processes by pid and start time, so that a reused pid is never taken for the one we knew.

Linux reads /proc; macOS asks `ps` (written from its manual, untested). Start times are only compared with
start times of the same machine: their unit differs by system.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

LINUX = sys.platform == "linux"


def start_time(pid: int) -> float | None:
    """When the process started, in the system's own unit; None if there is none of that pid, or it is a zombie."""
    if not LINUX:
        return _start_time_ps(pid)
    fields = stat_fields(pid)
    return None if fields is None or fields[0] == "Z" else float(fields[19])


def alive(pid: int, start: float) -> bool:
    """Whether the very process that had this pid and start time still runs."""
    return pid > 0 and start_time(pid) == start


def stat_fields(pid: int) -> list[str] | None:
    """/proc/PID/stat from field 3 (state) on; None if the process is gone. Field n stands at n - 3."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def open_pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has none (macOS)."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        fd: int = opener(pid)
    except OSError:
        return None
    return fd


def send(pid: int, start: float, number: signal.Signals) -> bool:
    """Signal the process if it still is the one we knew; False when it is gone or not ours."""
    if not alive(pid, start):
        return False
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def all_pids() -> Iterator[int]:
    """Every pid of the machine; on macOS those of this user."""
    if LINUX:
        return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return iter([int(word) for word in _ps("-U", str(os.getuid()), "-o", "pid=").split()])


def environ_of(pid: int) -> bytes:
    """The environment block the process was started with; empty if it may not be read."""
    if LINUX:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return b""
    return _ps("eww", "-p", str(pid), "-o", "command=").encode().replace(b" ", b"\0")


def command_of(pid: int) -> list[bytes]:
    """The program file and the arguments the process was started with; empty if they may not be read."""
    if not LINUX:
        return _ps("-p", str(pid), "-o", "command=").encode().split()
    words: list[bytes] = []
    try:
        words.append(os.readlink(f"/proc/{pid}/exe".encode()))  # noqa: PTH115
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            words += file.read().split(b"\0")
    except OSError:
        return words
    return words


def parent_of(pid: int) -> int:
    """The parent's pid; 0 if the process is gone."""
    if LINUX:
        fields = stat_fields(pid)
        return int(fields[1]) if fields else 0
    text = _ps("-p", str(pid), "-o", "ppid=").strip()
    return int(text) if text else 0


def _start_time_ps(pid: int) -> float | None:
    import time

    words = _ps("-p", str(pid), "-o", "stat=,lstart=").split(None, 1)
    if len(words) < 2 or words[0].startswith("Z"):
        return None
    return time.mktime(time.strptime(words[1].strip(), "%a %b %d %H:%M:%S %Y"))


def _ps(*args: str) -> str:
    import subprocess

    done = subprocess.run(
        ["ps", *args], capture_output=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL, timeout=5
    )
    return done.stdout
