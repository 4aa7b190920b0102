"""Packages from files: found by name or by pinned checksum, unpacked without links or ways out."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from moor.agents.archive import Archive, needed
from moor.agents.install import install
from moor.agents.platform import this_machine
from moor.agents.recipe import Recipe, Terms
from moor.errors.agent import AgentInstallFailed
from moor.store.home import Home
from tests.support.registry import integrity, packed

NAME = "@x/tool-linux"


def recipe(data: bytes | None = None, **changes: object) -> Recipe:
    fields = {
        "agent": "tool",
        "version": "1.2.3",
        "packages": (f"{NAME}@1.2.3",),
        "binary": f"node_modules/{NAME}/bin/tool",
        "dated_package": "tool",
        "pinned": True,
        "integrity": {NAME: integrity(data)} if data else {},
        **changes,
    }
    return Recipe(**fields)  # type: ignore[arg-type]


def silent(_: str) -> None:
    """Says nothing."""


@pytest.mark.feature("F19.9")
def test_a_pinned_package_is_taken_from_a_file_without_npm(tmp_path: Path) -> None:
    data = packed(NAME, "1.2.3", {"bin/tool": "#!/bin/sh\n", "README.md": "text"})
    (tmp_path / "carried.tgz").write_bytes(data)
    terms = Terms(archive=tmp_path / "carried.tgz")
    folder = install(recipe(data), Home(tmp_path / "moor"), {"PATH": ""}, terms=terms)
    program = folder / "node_modules" / NAME / "bin" / "tool"
    assert program.stat().st_mode & 0o777 == 0o755
    assert (program.parent.parent / "README.md").stat().st_mode & 0o777 == 0o644


def test_a_file_with_another_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "carried.tgz").write_bytes(packed(NAME, "1.2.3", {"bin/tool": "other"}))
    good = packed(NAME, "1.2.3", {"bin/tool": "#!/bin/sh\n"})
    with pytest.raises(AgentInstallFailed, match="not the one"):
        install(recipe(good), Home(tmp_path / "moor"), {}, terms=Terms(archive=tmp_path))
    assert not (tmp_path / "moor" / "agents" / "tool" / "1.2.3").exists()


def test_a_lock_is_filled_by_checksum_for_this_machine_only(tmp_path: Path) -> None:
    parts = {name: packed(name, "1.0.0", {"bin/tool": name}) for name in ("a", "b", "elsewhere")}
    entries = {
        f"node_modules/{name}": {"version": "1.0.0", "integrity": integrity(data)} for name, data in parts.items()
    }
    entries["node_modules/elsewhere"] |= {"os": ["plan9"]}  # type: ignore[dict-item]
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"packages": {"": {}, **entries}}), encoding="utf-8")
    carried = tmp_path / "carried"
    carried.mkdir()
    (carried / "first.tgz").write_bytes(parts["a"])
    what = recipe(lock=lock, binary="node_modules/a/bin/tool")
    with pytest.raises(AgentInstallFailed, match=r"b@1\.0\.0, as this moor knows it, is not among") as caught:
        install(what, Home(tmp_path / "moor"), {}, terms=Terms(archive=carried))
    assert "npm pack b@1.0.0" in caught.value.hint
    (carried / "second.tgz").write_bytes(parts["b"])
    folder = install(what, Home(tmp_path / "moor"), {}, terms=Terms(archive=carried))
    assert sorted(path.name for path in (folder / "node_modules").iterdir()) == ["a", "b"]


def test_places_of_a_lock_follow_the_machine_as_npm_does() -> None:
    machine = this_machine()
    lock = {
        "packages": {
            "": {},
            "node_modules/here": {"os": [machine.system], "cpu": [machine.cpu]},
            "node_modules/not-here": {"os": [f"!{machine.system}"]},
            "node_modules/not-there": {"os": ["!plan9"]},
            "node_modules/other-cpu": {"cpu": ["z80"]},
            "node_modules/for-tests": {"dev": True},
        }
    }
    assert [path for path, _ in needed(lock)] == ["node_modules/here", "node_modules/not-there"]


def test_links_and_ways_out_are_not_unpacked(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in ("package/package.json", "package/../../../evil", "package/fine"):
            data = json.dumps({"name": NAME, "version": "1.2.3"}).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (tmp_path / "x.tgz").write_bytes(gzip.compress(raw.getvalue()))
    folder = tmp_path / "deep" / "er" / "still"
    Archive("tool", "1.2.3", tmp_path).fetch(recipe(), folder, folder, silent)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    place = f"deep/er/still/node_modules/{NAME}"
    assert found == [f"{place}/fine", f"{place}/package.json", "x.tgz"]


@pytest.mark.parametrize("content", [b"", b"no archive", packed(NAME, "1.2.3", {})[:60]])
def test_a_file_that_is_no_package_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(content)
    with pytest.raises(AgentInstallFailed, match="cannot be read") as caught:
        Archive("tool", "1.2.3", tmp_path).fetch(recipe(), tmp_path / "to", tmp_path / "to", silent)
    assert caught.value.hint
