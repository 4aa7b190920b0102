"""The wheel holds what it must, and installs into an empty environment with pip, pipx and uv tool."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from tests.arch.tree import tracked
from tests.packaging.conftest import ROOT, run


def names(wheel: Path) -> set[str]:
    """Files inside."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_all_of_the_package(wheel: Path) -> None:
    here = {str(path.relative_to(ROOT / "src")) for path in tracked("src/moor")}
    assert {"moor/py.typed"} <= here
    assert not here - names(wheel)


def test_wheel_holds_the_scenarios_of_the_simulator(wheel: Path) -> None:
    assert [name for name in names(wheel) if name.startswith("moor/sim/") and name.endswith(".toml")]


def test_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    assert {name.split("/")[0] for name in names(wheel)} == {
        "moor",
        next(name.split("/")[0] for name in names(wheel) if ".dist-info/" in name),
    }


def test_wheel_names_the_commit_it_was_built_from(wheel: Path, checkout_commit: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        built = archive.read("moor/_build.txt").decode()
    assert len(built) == 12
    assert checkout_commit.startswith(built)


def test_wheel_names_licence_python_and_every_runtime_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        head = Parser().parsestr(archive.read(name).decode())
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert head["License-Expression"] == "Apache-2.0"
    assert head["Requires-Python"] == ">=3.11"
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    wanted = {re.split(r"[<>=;\[ ]", text)[0] for text in head.get_all("Requires-Dist", [])}
    assert {name for name in wanted if f"\n{name}==" not in f"\n{lock}"} == set()


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_wheel_can_hold_the_gateway_compiled(
    wheelhouse: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)),
        env={**os.environ, "MOOR_COMPILE": "1"},
    )
    [wheel] = tmp_path.glob("*.whl")
    assert not wheel.name.endswith("-any.whl")
    assert {"moor/gateway/exchange.py", f"moor/gateway/exchange{EXTENSION_SUFFIXES[0]}"} <= names(wheel)
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    install = (python, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check")
    run(*install, "-f", str(wheelhouse), "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.lock"))
    run(*install, "--no-deps", str(wheel))
    script = "import moor.gateway.process, moor.gateway.exchange as exchange; print(exchange.__file__)"
    assert run(python, "-c", script, cwd=tmp_path, env=clean_environ).strip().endswith(EXTENSION_SUFFIXES[0])
    answers(tmp_path / "env" / "bin" / "moor", clean_environ, tmp_path)


def answers(moor: Path, environ: dict[str, str], cwd: Path) -> None:
    """The installed command says its version with the commit, and its help."""
    assert re.fullmatch(r"moor \d+\.\d+\.\d+ \([0-9a-f]{12}\)\n", run(str(moor), "--version", cwd=cwd, env=environ))
    assert "commands:" in run(str(moor), "--help", cwd=cwd, env=environ)


@pytest.mark.feature("F19.1")
def test_wheel_installs_with_pip_from_the_lock(
    wheel: Path, wheelhouse: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    install = (python, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check")
    run(*install, "-f", str(wheelhouse), "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.lock"))
    run(*install, "--no-deps", str(wheel))
    run(python, "-m", "pip", "check")
    answers(tmp_path / "env" / "bin" / "moor", clean_environ, tmp_path)


@pytest.mark.feature("F19.1")
def test_wheel_installs_with_pipx(
    wheelhouse: Path, wheel: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    if shutil.which("pipx") is None:
        pytest.skip("pipx is not installed here")
    environ = {**clean_environ, "PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    options = f"--pip-args=--no-index -f {wheelhouse}"
    run("pipx", "install", "--python", sys.executable, options, str(wheel), cwd=tmp_path, env=environ)
    answers(tmp_path / "bin" / "moor", environ, tmp_path)


@pytest.mark.feature("F19.1")
def test_wheel_installs_with_uv_tool(
    wheelhouse: Path, wheel: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed here")
    environ = {
        **clean_environ,
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    run(
        *("uv", "tool", "install", "-q", "--python", sys.executable, "--no-index", "-f", str(wheelhouse), str(wheel)),
        cwd=tmp_path,
        env=environ,
    )
    answers(tmp_path / "bin" / "moor", environ, tmp_path)


@pytest.mark.real
def test_demo_runs_from_an_installed_wheel(
    wheel: Path, wheelhouse: Path, tmp_path: Path, clean_environ: dict[str, str], test_agents: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", "--no-index", "-f", str(wheelhouse), str(wheel))
    done = subprocess.run(
        [str(tmp_path / "env" / "bin" / "moor"), "demo"],
        cwd=tmp_path,
        env={**clean_environ, "MOOR_TEST_AGENTS": str(test_agents)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulated" in done.stdout + done.stderr


def test_source_distribution_builds_the_same_package(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path))
    [source] = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(source, tmp_path)  # our own; Python 3.11.2 knows no filter here
    [folder] = [path for path in tmp_path.iterdir() if path.is_dir()]
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=folder)
    [again] = tmp_path.glob("*.whl")
    assert names(wheel) - names(again) == {"moor/_build.txt"}
