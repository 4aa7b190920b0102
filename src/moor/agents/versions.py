"""Versions of an agent that lie side by side: which are in use, which may go, and taking them away.

A version in use stays: its program loads parts of itself while it runs, and its children start it again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.recipe import CURRENT, LOCK, current_version, installed_versions, newest
from moor.errors.agent import AgentInUse

if TYPE_CHECKING:
    from moor.store.home import Home

_HALF_DONE: Final = (".new-*", ".gone-*")
"""an install, a removal"""
_PROGRAM_WORDS: Final = 5
"""how far into a command line the program is looked for: `node --option … cli.js`"""


def remove(home: Home, agent: str, version: str | None = None) -> list[str]:
    """Remove one or all versions; the versions removed. Raises AgentInUse before anything is removed."""
    from moor.store.files import locked

    folder = home.agents_dir / agent
    if not folder.is_dir():
        return []
    with locked(folder / LOCK, timeout_s=60):
        sweep_leftovers(folder)
        gone = {name: path for name, path in installed_versions(folder).items() if version in (None, name)}
        if used := in_use(gone.values()):
            raise AgentInUse(agent=agent, version=next(iter(used)).name, pids=tuple(next(iter(used.values()))))
        for path in gone.values():
            _remove_version(path)
        if current_version(folder) in gone:
            (folder / CURRENT).unlink(missing_ok=True)
    return sorted(gone)


def prune(home: Home, agent: str, keep: Iterable[str]) -> list[str]:
    """Remove all versions but those to keep and those in use; the versions removed."""
    from moor.store.files import locked

    folder = home.agents_dir / agent
    with locked(folder / LOCK, timeout_s=60):
        kept = {*keep, current_version(folder)}
        old = {name: path for name, path in installed_versions(folder).items() if name not in kept}
        used = in_use(old.values())
        gone = {name: path for name, path in old.items() if path not in used}
        for path in gone.values():
            _remove_version(path)
    return sorted(gone)


def version_before(folder: Path, version: str) -> str:
    """The version to go back to: the newest of the other ones; empty when there is none."""
    return newest(name for name in installed_versions(folder) if name != version)


def in_use(folders: Iterable[Path]) -> dict[Path, list[int]]:
    """Folders that a process of this machine was started from, with their pids; others' processes may stay unseen."""
    from moor.run import proc

    wanted = [(os.fsencode(form) + b"/", path) for path in folders for form in {path, path.resolve()}]
    found: dict[Path, list[int]] = {}
    for pid in proc.all_pids() if wanted else ():
        words = proc.command_of(pid)[:_PROGRAM_WORDS]
        for prefix, path in wanted:
            if any(word.startswith(prefix) for word in words):
                found.setdefault(path, []).append(pid)
                break
    return found


def sweep_leftovers(folder: Path) -> None:
    """Half-done folders of an install or a removal that was killed. The caller holds the lock: nobody uses them."""
    for pattern in _HALF_DONE:
        for entry in folder.glob(pattern):
            shutil.rmtree(entry, ignore_errors=True)


def _remove_version(path: Path) -> None:
    """Out of sight in one step, then gone: a version that is half removed is never taken for a whole one."""
    from moor.store.files import remove_tree_private

    aside = path.with_name(f".gone-{path.name}")
    path.rename(aside)
    remove_tree_private(aside)
