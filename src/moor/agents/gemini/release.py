"""Which Gemini CLI this moor knows, and how its program is found. One npm package, run by the Node.js on PATH."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from moor.agents.base import Installed
from moor.agents.found import Window, check_window, find_installed
from moor.agents.found import version_note as note
from moor.agents.recipe import Recipe
from moor.errors.agent import AgentMissing, AgentNeeds

if TYPE_CHECKING:
    from moor.store.home import Home

ID: Final = "gemini"
PINNED: Final = "0.61.0"
"""the version that the tests of this moor run against"""
WINDOW: Final = Window(
    agent=ID,
    display_name="Gemini CLI",
    pinned=PINNED,
    tested=((0, 61, 0), (0, 61, 0)),
    # before, tables of models cannot be replaced and shell commands cannot be made to ask; a 1.x may differ
    works=((0, 61, 0), (1, 0, 0)),
)
NODE: Final = (20,)
SETTINGS: Final = ".gemini/settings.json"
"""of a project, below the folder it is started in"""
_PACKAGE: Final = "@google/gemini-cli"
_PROGRAM: Final = f"node_modules/{_PACKAGE}/bundle/gemini.js"
_INTEGRITY: Final = "sha512-dbQ9A0qBtFJNi6XBkHvfZ6Azpn6PNgH/P8h2MZ67RLlX8hSAVjup39CRWqdRxZv7YXIuhrFaytr8y0jKnkoxnQ=="


def recipe(version: str | None = None) -> Recipe:
    """What to fetch: the pinned version, or the one asked for. What it needs beside itself is optional, and left."""
    wanted = version or PINNED
    return Recipe(
        agent=ID,
        version=wanted,
        packages=(f"{_PACKAGE}@{wanted}",),
        binary=_PROGRAM,
        dated_package=_PACKAGE,
        integrity={_PACKAGE: _INTEGRITY} if wanted == PINNED else {},
        pinned=wanted == PINNED,
        node=NODE,
    )


def find(home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
    """The script that Node.js runs. Raises AgentMissing, AgentNeeds, AgentVersionUnfit.

    The program itself is not asked for its version: it would leave files in the user's `~/.gemini` (facts, 2).
    """
    node(environ)
    try:
        return find_installed(WINDOW, home, environ, _program)
    except AgentMissing:
        own = _on_path(environ) if use_path else None
        if own is None:
            raise
        return own


def _on_path(environ: Mapping[str, str]) -> Installed | None:
    """The package behind the command on PATH, with the version that it states; None where that is none of npm's."""
    script = os.path.realpath(_which(ID, environ))
    if not script.endswith(f"{_PACKAGE}/bundle/gemini.js"):
        return None
    try:
        package = msgspec.json.decode(Path(script).parents[1].joinpath("package.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    version = str(package.get("version", "")) if isinstance(package, dict) else ""
    check_window(WINDOW, version)
    return Installed(script, version, "path")


def node(environ: Mapping[str, str]) -> str:
    """The Node.js on PATH. Raises AgentNeeds; whether it is new enough is asked by the start script."""
    found = _which("node", environ)
    if not found:
        raise AgentNeeds(agent=ID, what="Node.js 20 or later", hint="install Node.js, or add its folder to PATH")
    return found


def _which(name: str, environ: Mapping[str, str]) -> str:
    """The program of that name on PATH; empty for none. shutil would cost a launch 5 ms of imports."""
    for folder in environ.get("PATH", "").split(os.pathsep):
        candidate = os.path.join(folder, name)  # noqa: PTH118 - hot path
        if folder and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):  # noqa: PTH112
            return candidate
    return ""


def version_note(version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    return note(WINDOW, version)


def _program(version_folder: Path) -> Path | None:
    program = version_folder / _PROGRAM
    return program if program.is_file() else None
