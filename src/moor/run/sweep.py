"""The end of a session: every process that carries its id is stopped.

Agents run tool commands in sessions and process groups of their own, which outlive a group kill (seen with
OpenCode 1.18.33, facts/opencode 19 and 23); what they all inherit is the variable MOOR_SESSION. A process that was
started with an emptied environment is found while its parent still lives.
"""

from __future__ import annotations

import os
import signal
import time

from moor.run import proc

VARIABLE = "MOOR_SESSION"


def processes_of(session_id: str) -> dict[int, float]:
    """pid to start time of the processes that carry the session's id, and of their descendants."""
    needle = f"{VARIABLE}={session_id}".encode()
    parents: dict[int, int] = {}
    found: set[int] = set()
    for pid in proc.all_pids():
        parents[pid] = proc.parent_of(pid)
        if needle in proc.environ_of(pid).split(b"\0"):
            found.add(pid)
    found |= _descendants(found, parents)
    found.discard(os.getpid())
    starts = {pid: proc.start_time(pid) for pid in found}
    return {pid: start for pid, start in starts.items() if start is not None}


def sweep(session_id: str, spare: set[int] | None = None, grace_s: float = 1.0) -> list[int]:
    """Stop them: TERM, `grace_s` seconds, KILL, until none is left; at most 4 s. Returns the pids met.

    BLOCKS. `spare` names pids that are left alone (the caller's own are anyway).
    """
    end = time.monotonic() + 4.0
    kill_at = time.monotonic() + grace_s
    met: set[int] = set()
    termed: set[int] = set()
    while time.monotonic() < end:
        left = {pid: start for pid, start in processes_of(session_id).items() if pid not in (spare or set())}
        if not left:
            break
        met |= left.keys()
        for pid, start in left.items():
            if time.monotonic() >= kill_at:
                proc.send(pid, start, signal.SIGKILL)
            elif pid not in termed:
                termed.add(pid)
                proc.send(pid, start, signal.SIGTERM)
                proc.send(pid, start, signal.SIGCONT)
        time.sleep(0.05)
    return sorted(met)


def _descendants(roots: set[int], parents: dict[int, int]) -> set[int]:
    """Children of children; what hangs on this very process (the gateway's own helpers) is not among them."""
    found: set[int] = set()
    grown = True
    while grown:
        above = (roots | found) - {os.getpid()}
        more = {pid for pid, parent in parents.items() if parent in above} - found - roots
        found |= more
        grown = bool(more)
    return found


def ancestor_session(environ: dict[str, str]) -> str:
    """The moor session this process runs in, by its own environment or an ancestor's; empty outside of one.

    Commands that reveal or widen refuse inside a session (design, section 6).
    """
    if environ.get(VARIABLE):
        return environ[VARIABLE]
    pid, needle = os.getpid(), VARIABLE.encode() + b"="
    for _ in range(64):
        pid = proc.parent_of(pid)
        if pid <= 1:
            break
        for item in proc.environ_of(pid).split(b"\0"):
            if item.startswith(needle):
                return item[len(needle) :].decode(errors="replace")
    return ""
