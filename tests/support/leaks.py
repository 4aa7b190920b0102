"""Descriptors, threads and children, before and after."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import NamedTuple, Self


class Snapshot(NamedTuple):
    """What this process holds."""

    descriptors: frozenset[str]
    threads: frozenset[str]
    children: frozenset[int]

    @classmethod
    def take(cls) -> Self:
        """Look now. Descriptors and children are read from /proc; where there is none they stay empty."""
        return cls(_descriptors(), frozenset(t.name for t in threading.enumerate()), _children())

    def more_than(self, before: Snapshot) -> list[str]:
        """What is here that was not there."""
        return [
            *sorted(self.descriptors - before.descriptors),
            *sorted(f"thread {name}" for name in self.threads - before.threads),
            *sorted(f"process {pid}" for pid in self.children - before.children),
        ]


def settled(before: Snapshot, grace_s: float) -> list[str]:
    """What is still left behind once it stops shrinking or the grace is over."""
    end = time.monotonic() + grace_s
    while (left := Snapshot.take().more_than(before)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _descriptors() -> frozenset[str]:
    found = set()
    for entry in _listed("/proc/self/fd"):
        try:
            found.add(f"fd {entry} {Path(f'/proc/self/fd/{entry}').readlink()}")
        except OSError:
            continue
    return frozenset(found)


def _children() -> frozenset[int]:
    found: set[int] = set()
    for task in _listed("/proc/self/task"):
        try:
            text = Path(f"/proc/self/task/{task}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found.update(int(pid) for pid in text.split())
    return frozenset(found)


def _listed(folder: str) -> list[str]:
    try:
        return [entry.name for entry in Path(folder).iterdir()]
    except OSError:
        return []
