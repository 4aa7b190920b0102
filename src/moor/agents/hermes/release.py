"""Which Hermes this moor knows, and how its program is found and fetched. Facts: hermes.md 1.

It pins nearly all it needs and its top-level modules have common names (`cli`, `tools`, `utils`): it lives in an
environment of its own, made from wheels of the lock beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.base import Installed
from moor.agents.found import Window, check_window, find_installed
from moor.agents.found import version_note as note
from moor.errors.agent import AgentMissing

if TYPE_CHECKING:
    from moor.agents.recipe import Recipe
    from moor.store.home import Home

ID: Final = "hermes"
PINNED: Final = "0.19.0"
"""the version that the tests of this moor run against"""
PACKAGE: Final = "hermes-agent"
WINDOW: Final = Window(
    agent=ID,
    display_name="Hermes",
    pinned=PINNED,
    tested=((0, 19, 0), (0, 19, 0)),
    # the permission gate and the keys of the configuration are those of 0.19; others are not known to hold
    works=((0, 19, 0), (0, 20, 0)),
)
BINARY: Final = "bin/hermes"
PYTHON: Final = "bin/python"
"""what is started: the environment's interpreter, with `shim.py`, which runs the program beside it"""
LOCK: Final = Path(__file__).with_name("hermes.lock")
_EXTRAS: Final = "acp,mcp,anthropic"
"""the protocol moor drives it by, MCP servers, and the Anthropic dialect"""


def recipe(version: str | None = None) -> Recipe:
    """What to fetch: the pinned version by the lock, another one as the index resolves it."""
    from moor.agents.recipe import PIP, Recipe

    wanted = version or PINNED
    pinned = wanted == PINNED
    return Recipe(
        agent=ID,
        version=wanted,
        packages=(f"{PACKAGE}[{_EXTRAS}]=={wanted}",),
        binary=BINARY,
        dated_package=PACKAGE,
        kind=PIP,
        lock=LOCK if pinned else None,
        pinned=pinned,
    )


def find(home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
    """The program to start. Raises AgentMissing, AgentVersionUnfit.

    The version of one on PATH is read from its environment: asked for it, Hermes writes into the user's own home and
    looks for updates.
    """
    try:
        return find_installed(WINDOW, home, environ, _program)
    except AgentMissing:
        found = _on_path(environ) if use_path else None
        if found is None:
            raise
    check_window(WINDOW, found.version)
    return found


def version_note(version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    return note(WINDOW, version)


def interpreter(path: str) -> str:
    """The Python of the environment that the found program belongs to. Raises AgentMissing where it has none."""
    if Path(path).name == Path(PYTHON).name:
        return path
    python = Path(path).resolve().with_name(Path(PYTHON).name)
    if not python.exists():
        raise AgentMissing(agent=ID, place=str(python.parent))
    return str(python)


def _on_path(environ: Mapping[str, str]) -> Installed | None:
    """The command on PATH, where it stands in an environment of its own."""
    import shutil

    command = shutil.which(ID, path=environ.get("PATH"))
    if command is None:
        return None
    python = Path(interpreter(command))
    stated = sorted(python.parent.parent.glob("lib/python3*/site-packages/hermes_agent-*.dist-info"))
    version = stated[-1].name.removesuffix(".dist-info").partition("-")[2] if stated else ""
    return Installed(str(python), version, "path") if version else None


def _program(version_folder: Path) -> Path | None:
    python = version_folder / PYTHON
    return python if python.is_file() else None
