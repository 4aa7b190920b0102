"""Python agents from wheels in a folder: an environment of their own, no index asked."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

import msgspec
import pytest

from moor.agents.install import install
from moor.agents.recipe import PIP, Recipe, Terms
from moor.errors.agent import AgentInstallFailed
from moor.store.home import Home

RECIPE = Recipe(
    agent="snake", version="1.2.0", packages=("snake-agent==1.2.0",), binary="bin/snake", dated_package="snake-agent",
    kind=PIP, pinned=True,
)  # fmt: skip


def wheel(folder: Path) -> Path:
    """A wheel with one command."""
    path = folder / "snake_agent-1.2.0-py3-none-any.whl"
    info = "snake_agent-1.2.0.dist-info"
    files = {
        "snake_agent.py": "import sys\ndef main():\n    print('hiss', sys.prefix)\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: snake-agent\nVersion: 1.2.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsnake = snake_agent:main\n",
    }
    record = "".join(f"{name},sha256={digest(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.mark.feature("F19.9", "F6.13")
def test_wheels_of_a_folder_are_installed_by_their_hashes_without_an_index(tmp_path: Path) -> None:
    carried = tmp_path / "carried over"
    carried.mkdir()
    data = wheel(carried).read_bytes()
    good, bad = tmp_path / "good.lock", tmp_path / "bad.lock"
    good.write_text(f"snake-agent==1.2.0 --hash=sha256:{hashlib.sha256(data).hexdigest()}\n", encoding="utf-8")
    bad.write_text(f"snake-agent==1.2.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    environ = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "HOME": str(tmp_path)}
    terms = Terms(archive=carried)
    home = Home(tmp_path / "moor")
    with pytest.raises(AgentInstallFailed, match="not what this moor was tested with"):
        install(locked(bad), home, environ, terms=terms)
    folder = install(locked(good), home, environ, terms=terms)
    said = subprocess.check_output([folder / "bin" / "snake"], encoding="utf-8")
    assert said == f"hiss {folder}\n"
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".new")] == []


def locked(lock: Path) -> Recipe:
    """The recipe with that lock."""
    return msgspec.structs.replace(RECIPE, lock=lock)
