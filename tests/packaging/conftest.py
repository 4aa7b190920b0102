"""One wheel and one folder of its dependencies for all packaging tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "runtime.lock"


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 300) -> str:
    """Stdout of a command that must succeed; its own words stand in the failure."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheelhouse(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked dependencies as files, so that installers of any kind need no index."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    run(
        *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
        *("--require-hashes", "-r", str(LOCK), "-d", str(folder)),
    )
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    return folder


@pytest.fixture
def clean_environ(tmp_path: Path) -> dict[str, str]:
    """An empty HOME; nothing of Python's or moor's settings, but for where the test agents are."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOOR_", "PYTHON", "XDG_", "UV_", "PIPX_", "VIRTUAL_ENV"))
    }
    if "MOOR_TEST_AGENTS" in os.environ:
        kept["MOOR_TEST_AGENTS"] = os.environ["MOOR_TEST_AGENTS"]
    return {**kept, "HOME": str(home), "NO_COLOR": "1"}
