"""What a lock names is what the real npm installs, from whatever registry the user has configured."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from moor.agents.install import install
from moor.agents.recipe import Recipe
from moor.errors.agent import AgentInstallFailed
from moor.store.home import Home
from tests.support.registry import Registry, integrity, running_registry

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")


def locked(folder: Path, registry: Registry, **pins: str) -> Recipe:
    """A lock over two packages, one of them needed by the other; `pins` replace checksums."""
    entries = {
        f"node_modules/{name}": {"version": "1.0.0", "integrity": pins.get(name, integrity(data))}
        for (name, version), data in registry.tarballs.items()
        if version == "1.0.0"
    }
    entries["node_modules/tool"]["dependencies"] = {"part": "^1.0.0"}  # type: ignore[assignment]
    lock = folder / "tool.lock.json"
    root = {"dependencies": {"tool": "1.0.0"}}
    lock.write_text(json.dumps({"lockfileVersion": 3, "packages": {"": root, **entries}}), encoding="utf-8")
    return Recipe(
        agent="tool", version="1.0.0", packages=("tool@1.0.0",), binary="node_modules/tool/bin/tool",
        dated_package="tool", pinned=True, lock=lock,
    )  # fmt: skip


def furnished(registry: Registry) -> None:
    """`part` has a newer release than the lock knows; scripts would leave a mark."""
    scripts = json.dumps({"name": "tool", "version": "1.0.0", "scripts": {"postinstall": "touch RAN"}})
    registry.add("tool", "1.0.0", {"bin/tool": "#!/bin/sh\n", "package.json": scripts})
    registry.add("part", "1.0.0", {"index.js": "old"})
    registry.add("part", "1.1.0", {"index.js": "new"})


@pytest.mark.feature("F6.13", "F17.9")
def test_exactly_the_locked_packages_are_installed_and_no_script_runs(tmp_path: Path) -> None:
    with running_registry() as registry:
        furnished(registry)
        folder = install(locked(tmp_path, registry), Home(tmp_path / "moor"), {**os.environ, **registry.environ})
    assert (folder / "node_modules" / "part" / "index.js").read_text(encoding="utf-8") == "old"
    assert not list(folder.rglob("RAN"))
    assert not (folder / ".npm-cache").exists()


@pytest.mark.feature("F6.13")
def test_a_registry_with_another_content_for_a_locked_package_is_refused(tmp_path: Path) -> None:
    with running_registry() as registry:
        furnished(registry)
        recipe = locked(tmp_path, registry, part=integrity(b"something else"))
        with pytest.raises(AgentInstallFailed, match="announced"):
            install(recipe, Home(tmp_path / "moor"), {**os.environ, **registry.environ})
    assert sorted(path.name for path in (tmp_path / "moor" / "agents" / "tool").iterdir()) == [".lock"]
