"""Which program of an agent is started: the one moor installed, or, where the user said so, the one on PATH."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from moor.agents.base import Installed
from moor.agents.recipe import current_version, installed_versions, newest, test_folder, version_key
from moor.errors.agent import AgentMissing, AgentVersionUnfit

if TYPE_CHECKING:
    from moor.store.home import Home

Program = Callable[[Path], Path | None]
"""the program in a version's folder, or None where that folder holds none"""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of one agent: the pinned one, those that were tested, those that can work at all."""

    agent: str
    display_name: str
    pinned: str
    tested: tuple[tuple[int, ...], tuple[int, ...]]
    """first and last tested"""
    works: tuple[tuple[int, ...], tuple[int, ...]]
    """from, and up to but without"""


def find_installed(
    window: Window, home: Home, environ: Mapping[str, str], program: Program, *, on_path: str = ""
) -> Installed:
    """The version that is to be started. `on_path`: name of a command that will do where moor has installed none.

    Reads names of folders; no process but the version question to a command on PATH, no network.
    Raises AgentMissing, AgentVersionUnfit.
    """
    tests = test_folder(environ, window.agent)
    folder = tests or home.agents_dir / window.agent
    programs = _programs(folder, program, complete=tests is None)
    if not programs and on_path and (own := _on_path(window, on_path, environ)):
        return own
    if not programs:
        raise AgentMissing(agent=window.agent, place=str(folder))
    version = _choose(folder, programs, window.pinned)
    check_window(window, version)
    return Installed(str(programs[version]), version, "env" if tests else "moor")


def check_window(window: Window, version: str) -> None:
    """Raises AgentVersionUnfit for a version that cannot work."""
    if not window.works[0] <= version_key(version) < window.works[1]:
        raise AgentVersionUnfit(agent=window.agent, version=version, works=window.pinned)


def version_note(window: Window, version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    if window.tested[0] <= version_key(version) <= window.tested[1]:
        return ""
    name, pinned = window.display_name, window.pinned
    return f"{name} {version} was not tested with this moor; back to {pinned}: moor agents install {window.agent}"


def _programs(folder: Path, program: Program, *, complete: bool) -> dict[str, Path]:
    if complete:
        versions = installed_versions(folder)
    else:
        versions = {entry.name: entry for entry in folder.iterdir()} if folder.is_dir() else {}
    found = {version: program(path) for version, path in versions.items()}
    return {version: path for version, path in found.items() if path is not None}


def _choose(folder: Path, programs: Mapping[str, Path], pinned: str) -> str:
    for version in (current_version(folder), pinned):
        if version in programs:
            return version
    return newest(programs)


def _on_path(window: Window, command: str, environ: Mapping[str, str]) -> Installed | None:
    """The command on PATH with the version it states; None where there is none, or it states none."""
    import re
    import shutil
    import subprocess

    found = shutil.which(command, path=environ.get("PATH"))
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(rb"\d+\.\d+\.\d+", done.stdout)
    if version is None:
        return None
    check_window(window, version.group().decode())
    return Installed(found, version.group().decode(), "path")
