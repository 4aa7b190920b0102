"""Which OpenCode this moor knows, and how its program is found and fetched.

Facts/opencode 2: the platform packages hold one statically linked executable; the meta package `opencode-ai` only
picks one of them in an install script, which we do not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.base import Installed
from moor.agents.found import Window, find_installed
from moor.agents.found import version_note as note
from moor.agents.platform import Machine
from moor.agents.recipe import Recipe
from moor.errors.agent import AgentInstallFailed

if TYPE_CHECKING:
    from moor.store.home import Home

ID: Final = "opencode"
PINNED: Final = "1.18.33"
"""the version that the tests of this moor run against"""
WINDOW: Final = Window(
    agent=ID,
    display_name="OpenCode",
    pinned=PINNED,
    tested=((1, 18, 33), (1, 18, 33)),
    # before, flags and events differ; a 2.x is announced to differ
    works=((1, 18, 0), (2, 0, 0)),
)

_RIPGREP: Final = "1.18.0"
"""of the npm packages `@vscode/ripgrep-*`; OpenCode downloads `rg` from GitHub when PATH has none (18.1)"""
_RIPGREP_CPUS: Final = {"linux": ("x64", "arm64", "arm", "ppc64", "riscv64", "s390x"), "darwin": ("x64", "arm64")}

_INTEGRITY: Final = {
    "opencode-linux-x64": (
        "sha512-q/t/3p2CTxOT9y2kvjesb/LZab2+1eqlhhWA02Be6mjTtmYtNBcBsrI5yDo4Fw7ZSPBW2oyMIGMNRqiKQjiAWw=="
    ),
    "opencode-linux-x64-baseline": (
        "sha512-1KQGBiiDDeL/VHHbHkOvvFo8Jr97WT5+C1tear+p7IcDTnXgVHXqIjU4O4jM4mHQzykTP2i884FCnW5LDa+zCA=="
    ),
    "@vscode/ripgrep-linux-x64": (
        "sha512-mQ3bVrUpnD2vs7QT0vX90Lt0cnUq467uFtEktIdsJJmW296RoSULRGqWgzG1AKxyBpNDD6l4ZO4qKf6SgyC23Q=="
    ),
    "@vscode/ripgrep-linux-arm64": (
        "sha512-lQ/5zTG++U0E3IhVgS4EPTTn/U4okncaRMM5GOFfOYZywS4nuD31GhkHbNYlDk5CuDC68+hYJ0/eQeyCKJDA+g=="
    ),
    "@vscode/ripgrep-darwin-x64": (
        "sha512-25b4gWbL138dGuQU244ebCKKc0q05ULBMoFSz9oAEUHNeqK/lOJViDS7DRvbDazzAzSEdan391Znks/R5mkaTQ=="
    ),
    "@vscode/ripgrep-darwin-arm64": (
        "sha512-r3ktHSvbFycQNF6sl7sNDPocpsI7J+mEzh1IaZFkY0spm3k2Z9t8hPAeOK7+p0l6p6/swkQC14XWX01low+94Q=="
    ),
}
"""of PINNED, where the registry we asked had the package; other platforms are checked by npm alone"""


def platform_package(machine: Machine) -> str:
    """`opencode-linux-x64-baseline-musl`; raises AgentInstallFailed where OpenCode is not built for the machine."""
    if machine.system not in ("linux", "darwin") or machine.cpu not in ("x64", "arm64"):
        raise AgentInstallFailed(
            agent=ID,
            version=PINNED,
            problem=f"it is not built for {machine.system} on {machine.cpu}",
            hint="use a Linux or macOS machine with an x64 or arm64 processor",
        )
    name = f"{ID}-{machine.system}-{machine.cpu}"
    if not machine.avx2:
        name += "-baseline"
    return name + "-musl" if machine.musl else name


def recipe(machine: Machine, version: str | None = None) -> Recipe:
    """What to fetch: the pinned version, or the one asked for."""
    package = platform_package(machine)
    wanted = version or PINNED
    extras: tuple[str, ...] = ()
    if machine.cpu in _RIPGREP_CPUS.get(machine.system, ()):
        extras = (f"@vscode/ripgrep-{machine.system}-{machine.cpu}@{_RIPGREP}",)
    pinned = wanted == PINNED
    keep = {name: value for name, value in _INTEGRITY.items() if pinned or not name.startswith(ID)}
    return Recipe(
        agent=ID,
        version=wanted,
        packages=(f"{package}@{wanted}",),
        binary=f"node_modules/{package}/bin/opencode",
        dated_package="opencode-ai",
        extras=extras,
        integrity=keep,
        pinned=pinned,
    )


def find(home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
    """The program to start. Raises AgentMissing, AgentVersionUnfit.

    What lies on PATH is taken only when told: its version is the user's affair, and so is what it upgrades itself to.
    """
    return find_installed(WINDOW, home, environ, _program, on_path=ID if use_path else "")


def version_note(version: str) -> str:
    """A sentence when the version is outside the tested ones, with the way back; empty otherwise."""
    return note(WINDOW, version)


def ripgrep_folder(program: str) -> str:
    """Folder of the `rg` that was installed beside the program; empty when there is none."""
    modules = Path(program).parents[2]
    found = next(iter(sorted(modules.glob("@vscode/ripgrep-*/bin/rg"))), None)
    return str(found.parent) if found else ""


def _program(version_folder: Path) -> Path | None:
    candidates = sorted((version_folder / "node_modules").glob(f"{ID}-*/bin/{ID}"), key=lambda path: len(str(path)))
    return candidates[0] if candidates else None
