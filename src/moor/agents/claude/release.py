"""Which Claude Code this moor knows, and how its program is found and fetched.

Facts/claude-code 1: each platform package holds one executable; the package `@anthropic-ai/claude-code` beside them
only copies it in an install script, which we do not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.found import Window, find_installed
from moor.agents.found import version_note as note
from moor.agents.platform import Machine
from moor.agents.recipe import Recipe
from moor.errors.agent import AgentInstallFailed

if TYPE_CHECKING:
    from moor.agents.base import Installed
    from moor.store.home import Home

ID: Final = "claude"
PINNED: Final = "2.1.197"
"""the version that the tests of this moor run against"""
WINDOW: Final = Window(
    agent=ID,
    display_name="Claude Code",
    pinned=PINNED,
    tested=((2, 1, 197), (2, 1, 197)),
    # before, some of the switches and headers we rely on do not exist; a 3.x may differ in all of them
    works=((2, 1, 100), (3, 0, 0)),
)
_PACKAGE: Final = "@anthropic-ai/claude-code"
_INTEGRITY: Final = {
    f"{_PACKAGE}-linux-x64": (
        "sha512-rIlKmrY0QMyHgPRX/MYWNj039vbypICvI9jVe3rs9Xy2RnNklySjyPxqh62QadznzoftEO23uYQ1tFePcQ//bg=="
    ),
    f"{_PACKAGE}-linux-x64-musl": (
        "sha512-/Ij3+inZf96Lb1BLnO0rWArRi1HqIMh6HeGrQoykrp7a8Yj0SA1EQIO42kpNeVxM9z3o3xUaiIf0FRMzLIp6oQ=="
    ),
    f"{_PACKAGE}-linux-arm64": (
        "sha512-sx6SoGj3MNR5CV+YDkNtbLHXa1tn3G8qcYFgm1gnvOi9ODQUKbhiPfankJfkTMDVekOvnKJhm6i9hGFIPzp7cQ=="
    ),
    f"{_PACKAGE}-linux-arm64-musl": (
        "sha512-r3taVK9rDaMahHkrCGV8wF1Sjphs7fqXy2ZEznyDGxUqeW6HxgkbG7dPplXnwwGiMTdYLrtQTQMN21ZTxcVHBA=="
    ),
    f"{_PACKAGE}-darwin-x64": (
        "sha512-DOPeGTQqJWVENJsxwMxJtLOx+7OBINEDg9trQldlJR1nBssaYzNj1WWxp37JYSBRjeYLhqLipvDqEA0LMglL7A=="
    ),
    f"{_PACKAGE}-darwin-arm64": (
        "sha512-1FOVhJzkKGWgOEEsvaK3ylCEmjKeJiXwfKl7RtNEbiDj7OxhRQ1G1CLN0HGDTTq1QwY+Dm2x1Yscdv5NfobAxQ=="
    ),
}
"""of PINNED"""


def platform_package(machine: Machine) -> str:
    """`@anthropic-ai/claude-code-linux-x64`; raises AgentInstallFailed where it is not built for the machine."""
    if machine.system not in ("linux", "darwin") or machine.cpu not in ("x64", "arm64"):
        raise AgentInstallFailed(
            agent=ID,
            version=PINNED,
            problem=f"it is not built for {machine.system} on {machine.cpu}",
            hint="use a Linux or macOS machine with an x64 or arm64 processor",
        )
    return f"{_PACKAGE}-{machine.system}-{machine.cpu}" + ("-musl" if machine.musl else "")


def recipe(machine: Machine, version: str | None = None) -> Recipe:
    """What to fetch: the pinned version, or the one asked for."""
    package = platform_package(machine)
    wanted = version or PINNED
    return Recipe(
        agent=ID,
        version=wanted,
        packages=(f"{package}@{wanted}",),
        binary=f"node_modules/{package}/claude",
        dated_package=_PACKAGE,
        integrity=dict(_INTEGRITY) if wanted == PINNED else {},
        pinned=wanted == PINNED,
    )


def find(home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
    """The program to start. Raises AgentMissing, AgentVersionUnfit."""
    return find_installed(WINDOW, home, environ, _program, on_path=ID if use_path else "")


def version_note(version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    return note(WINDOW, version)


def _program(version_folder: Path) -> Path | None:
    modules = version_folder / "node_modules" / "@anthropic-ai"
    return next(iter(sorted(modules.glob("claude-code-*/claude"))), None)
