"""`moor upgrade` in environments of the real pip and uv, from a folder of wheels instead of an index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import msgspec
import pytest

from moor import __version__
from moor.domain.session import WORKING, Session
from moor.run.proc import start_time
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.packaging.conftest import run

NEWER = "99.1.0"


def renewed(wheel: Path, folder: Path, *, broken: bool = False) -> Path:
    """The same wheel under a later version."""
    target = folder / wheel.name.replace(__version__, NEWER)
    before, after = f"moorage-{__version__}.dist-info", f"moorage-{NEWER}.dist-info"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "moor/__init__.py":
                data = data.replace(__version__.encode(), NEWER.encode()) + b"\nimport not_there\n" * broken
            if name.endswith("/METADATA"):
                data = data.replace(f"\nVersion: {__version__}\n".encode(), f"\nVersion: {NEWER}\n".encode())
            if name.endswith("/RECORD"):
                data = data.replace(before.encode(), after.encode())
            new.writestr(name.replace(before, after), data)
    return target


def running_session(home: Path) -> None:
    """A session of this very process, as moor stores one."""
    pid, start = os.getpid(), start_time(os.getpid()) or 0.0
    made = Session(id="ses_1", agent="one", cwd="/w", upstream="u", model="m", status=WORKING, created_at=time.time())
    store = SessionStore(Home(home))
    try:
        store.add(msgspec.structs.replace(made, pid=pid, pid_start=start, gateway_pid=pid, gateway_start=start))
    finally:
        store.close()


def moor(python: str, environ: dict[str, str], cwd: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The installed command, its folder by its python's."""
    command = [str(Path(python).with_name("moor")), *argv]
    return subprocess.run(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.feature("F19.2")
def test_moor_upgrades_itself_with_pip(
    wheel: Path, wheelhouse: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    index = tmp_path / "index"
    index.mkdir()
    environ = {**clean_environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{wheelhouse} {index}"}
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "moorage", env=environ)

    done = moor(python, environ, tmp_path, "upgrade", "--check")
    assert f"moor {__version__} is the newest" in done.stdout, done.stderr
    renewed(wheel, index)
    assert f"moor {NEWER} is there" in moor(python, environ, tmp_path, "upgrade", "--check").stdout
    inside = moor(python, {**environ, "MOOR_SESSION": "ses_x"}, tmp_path, "upgrade")
    assert inside.returncode == 2
    assert moor(python, environ, tmp_path, "--version").stdout.startswith(f"moor {__version__}")

    running_session(Path(environ["HOME"]) / ".moor")
    waits = moor(python, environ, tmp_path, "upgrade")
    assert waits.returncode == 2
    assert "error: upgrade-waits: 1 sessions run on this moor: ses_1" in waits.stderr
    assert "moor upgrade --yes" in waits.stderr

    done = moor(python, environ, tmp_path, "upgrade", "--yes")
    assert done.returncode == 0, done.stderr
    assert "end them soon: ses_1" in done.stderr
    assert done.stdout.startswith(f"moor {NEWER}, was {__version__}")
    assert moor(python, environ, tmp_path, "--version").stdout.startswith(f"moor {NEWER}")

    (index / wheel.name.replace(__version__, "99.2.0")).write_bytes(b"no wheel")
    failed = moor(python, environ, tmp_path, "upgrade", "--yes")
    assert failed.returncode == 1
    assert "error: upgrade-failed" in failed.stderr
    assert moor(python, environ, tmp_path, "--version").stdout.startswith(f"moor {NEWER}")


@pytest.mark.feature("F19.2", "F19.9")
def test_moor_of_a_uv_tool_is_upgraded_from_a_file(
    wheel: Path, wheelhouse: Path, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed here")
    # no variable keeps uv from its index
    settings = tmp_path / "uv.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{wheelhouse}"]\n', encoding="utf-8")
    environ = {
        **clean_environ,
        "UV_CONFIG_FILE": str(settings),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON": sys.executable,
    }
    run("uv", "tool", "install", "-q", str(wheel), cwd=tmp_path, env=environ)
    python = str(tmp_path / "bin" / "python")
    by_hand = moor(python, environ, tmp_path, "upgrade")
    assert by_hand.returncode == 2
    assert "hint: uv tool install --force NEWER.whl" in by_hand.stderr
    done = moor(python, environ, tmp_path, "upgrade", "--from", str(renewed(wheel, tmp_path)))
    assert done.returncode == 0, done.stderr
    assert f"moor {NEWER}, was {__version__}" in done.stdout
    (tmp_path / "broken").mkdir()
    broken = moor(
        python, environ, tmp_path, "upgrade", "--from", str(renewed(wheel, tmp_path / "broken", broken=True))
    )
    assert broken.returncode == 1
    assert "the new moor does not start" in broken.stderr
