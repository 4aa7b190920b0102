"""npm packages from files instead of a registry: what `npm pack NAME@VERSION` wrote, a file or a folder of them.

Needs neither npm nor a network. Each package is found by the sha512 that a lock pins, else by the name and version
that stand in its package.json; a pinned sha512 is compared by the installer as with any other source. Only files and
folders are unpacked: no links, nothing above the package's own folder, no scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final

from moor.agents.platform import this_machine
from moor.agents.recipe import Recipe, Say
from moor.errors.agent import AgentInstallFailed

_SUFFIXES: Final = (".tgz", ".tar.gz")
_MAX_MANIFEST_BYTES: Final = 4 << 20


class Archive:
    """One file, or a folder of files, for one version of one agent."""

    def __init__(self, agent: str, version: str, place: Path) -> None:
        self.agent = agent
        self.version = version
        self._place = place

    def fetch(self, recipe: Recipe, folder: Path, target: Path, say: Say) -> dict[str, str]:  # noqa: ARG002
        """Unpack the recipe's packages below `folder/node_modules`. BLOCKS. Raises AgentInstallFailed."""
        if recipe.lock is not None:
            return self._from_lock(recipe.lock, folder)
        got = {}
        for spec in (*recipe.packages, *recipe.extras):
            name = spec.rpartition("@")[0]
            path = self._named.get(spec)
            if path is None and spec in recipe.extras:
                say(f"{self._place} lacks {spec}: going on without it")
                continue
            if path is None:
                raise self._failed(f"{spec} is not among the files", _where(spec))
            got[name] = self._integrity(path)
            if name not in recipe.integrity:
                say(f"this moor knows no checksum of {spec}; it is {got[name]}")
            self._unpack(path, folder / "node_modules" / name)
        return got

    def published_at(self, package: str, version: str, scratch: Path) -> float | None:  # noqa: ARG002
        """None: a file does not say."""
        return None

    def newest(self, package: str, scratch: Path) -> str:  # noqa: ARG002
        """Empty: a file does not say."""
        return ""

    def _from_lock(self, lock: Path, folder: Path) -> dict[str, str]:
        got = {}
        for path, entry in needed(json.loads(lock.read_text("utf-8"))):
            found = self._by_integrity.get(str(entry["integrity"]))
            if found is None and not entry.get("optional"):
                name = f"{path.rpartition('node_modules/')[2]}@{entry['version']}"
                raise self._failed(f"{name}, as this moor knows it, is not among the files", _where(name))
            if found is not None:
                got[path.removeprefix("node_modules/")] = str(entry["integrity"])
                self._unpack(found, folder / path)
        return got

    @cached_property
    def _files(self) -> list[Path]:
        if self._place.is_file():
            return [self._place]
        if not self._place.is_dir():
            raise self._failed(f"{self._place} is neither a file nor a folder", "name what `npm pack` wrote")
        return sorted(path for path in self._place.iterdir() if path.name.endswith(_SUFFIXES))

    @cached_property
    def _by_integrity(self) -> dict[str, Path]:
        return {self._integrity(path): path for path in self._files}

    @cached_property
    def _named(self) -> dict[str, Path]:
        """`name@version` to file."""
        return {spec: path for path in self._files if (spec := self._spec(path))}

    def _spec(self, path: Path) -> str:
        try:
            with tarfile.open(path, "r:gz") as tar:
                for member in tar:
                    if member.isfile() and PurePosixPath(member.name).parts[1:] == ("package.json",):
                        file = tar.extractfile(member)
                        said = json.loads(file.read(_MAX_MANIFEST_BYTES)) if file else {}
                        return f"{said.get('name')}@{said.get('version')}"
        except (tarfile.TarError, EOFError, ValueError, OSError) as error:
            raise self._failed(f"{path.name} cannot be read: {error}", "fetch it again") from error
        return ""

    def _integrity(self, path: Path) -> str:
        with path.open("rb") as file:
            return "sha512-" + base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()

    def _unpack(self, path: Path, folder: Path) -> None:
        try:
            with tarfile.open(path, "r:gz") as tar:
                for member in tar:
                    _extract(tar, member, folder)
        except (tarfile.TarError, EOFError) as error:
            raise self._failed(f"{path.name} cannot be read: {error}", "fetch it again") from error

    def _failed(self, problem: str, hint: str) -> AgentInstallFailed:
        return AgentInstallFailed(
            agent=self.agent, version=self.version, problem=problem, context=str(self._place), hint=hint
        )


def _where(spec: str) -> str:
    return f"fetch it where there is a network: npm pack {spec}"


def needed(lock: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and entry of each package of an npm lock that this machine needs."""
    machine = this_machine()
    facts = {
        "os": machine.system,
        "cpu": machine.cpu,
        "libc": "musl" if machine.musl else "glibc",
    }
    for path, entry in lock["packages"].items():
        if path and not entry.get("dev") and all(_fits(entry.get(key), fact) for key, fact in facts.items()):
            yield path, entry


def _fits(wanted: list[str] | None, fact: str) -> bool:
    """npm's rule: `["linux"]` these only, `["!win32"]` all but these."""
    if not wanted:
        return True
    if f"!{fact}" in wanted:
        return False
    return fact in wanted or all(word.startswith("!") for word in wanted)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One file; its first folder (`package/`) is dropped, as npm does."""
    parts = PurePosixPath(member.name).parts[1:]
    if not member.isfile() or not parts or ".." in parts:
        return
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        return
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    target.chmod(0o755 if member.mode & 0o111 else 0o644)
