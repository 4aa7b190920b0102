"""Which Codex this moor knows, and how its program is found and fetched.

Facts/codex 1: the npm package `@openai/codex` is a node launcher; its real program lies in versions of the same
package that are named after a platform (`0.169.0-linux-x64`). That program is started directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.found import Window, find_installed
from moor.agents.found import version_note as note
from moor.errors.agent import AgentInstallFailed

if TYPE_CHECKING:
    from moor.agents.base import Installed
    from moor.agents.platform import Machine
    from moor.agents.recipe import Recipe
    from moor.store.home import Home

ID: Final = "codex"
PINNED: Final = "0.169.0"
"""the version that the tests of this moor run against"""
WINDOW: Final = Window(
    agent=ID,
    display_name="Codex",
    pinned=PINNED,
    tested=((0, 169, 0), (0, 169, 0)),
    # before, a model catalogue and the answers to approvals differ; it changes with every release
    works=((0, 160, 0), (0, 200, 0)),
)

_PACKAGE: Final = "@openai/codex"
_TRIPLES: Final = {
    ("linux", "x64"): "x86_64-unknown-linux-musl",
    ("linux", "arm64"): "aarch64-unknown-linux-musl",
    ("darwin", "x64"): "x86_64-apple-darwin",
    ("darwin", "arm64"): "aarch64-apple-darwin",
}
_INTEGRITY: Final = {
    ("linux", "x64"): (
        "sha512-o05NyAOCDygSPRo1yinzxvkRSdmsZyBD9E7mbpmjRanSfM8lypqWtQgEo4XfNkwhuCR2aFu8mlGOsQGFXVbVww=="
    ),
    ("linux", "arm64"): (
        "sha512-NZ/DaQUpcQmxmqee7Z9uC1rzw3GhSbooawcaTe1LN5Yk+WlinUKGdTXJgClRT/9ogQEEM9TWxYzvxPfj5G/xFg=="
    ),
    ("darwin", "x64"): (
        "sha512-K1FKSsSLl9v3z5TeagBQXyQRDBIGB5Jncy5dxsRxwT3aaTqN3AI8VrCfoxBxKMOOU9O2QX1vg7WkBwNVth/s9A=="
    ),
    ("darwin", "arm64"): (
        "sha512-5WsWFBbVP78D+6FvNo1MMVxLPZdmcoQlqVJFrF4qx/TmvneLnMQKtLyXkUo54XOTDfoYKpNouTJ/F7gTVA8FnQ=="
    ),
}
"""of PINNED"""


def recipe(machine: Machine, version: str | None = None) -> Recipe:
    """What to fetch: the pinned version, or the one asked for. Raises AgentInstallFailed."""
    from moor.agents.recipe import Recipe

    wanted = version or PINNED
    where = (machine.system, machine.cpu)
    if where not in _TRIPLES:
        raise AgentInstallFailed(
            agent=ID,
            version=wanted,
            problem=f"it is not built for {machine.system} on {machine.cpu}",
            hint="use a Linux or macOS machine with an x64 or arm64 processor",
        )
    pinned = wanted == PINNED
    return Recipe(
        agent=ID,
        version=wanted,
        packages=(f"{_PACKAGE}@{wanted}-{machine.system}-{machine.cpu}",),
        binary=f"node_modules/{_PACKAGE}/vendor/{_TRIPLES[where]}/bin/{ID}",
        dated_package=_PACKAGE,
        integrity={_PACKAGE: _INTEGRITY[where]} if pinned else {},
        pinned=pinned,
    )


def find(home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
    """The program to start. Raises AgentMissing, AgentVersionUnfit."""
    return find_installed(WINDOW, home, environ, _program, on_path=ID if use_path else "")


def version_note(version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    return note(WINDOW, version)


def _program(version_folder: Path) -> Path | None:
    return next(iter(sorted((version_folder / "node_modules" / _PACKAGE / "vendor").glob(f"*/bin/{ID}"))), None)
