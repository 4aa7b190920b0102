"""Runs the unit tests on every other supported Python of this machine; `make test-pythons`.

Looks on PATH and below `$PYENV_ROOT/versions`. A version that is not here is named and skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.12", "3.13")


def candidates(version: str) -> Iterator[str]:
    """Interpreters that may be that version."""
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}*/bin/python3")))


def interpreter(version: str) -> str:
    """One that really is that version and can make an environment; empty when there is none."""
    script = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for path in candidates(version):
        if subprocess.run([path, "-c", script], capture_output=True, check=False).returncode == 0:
            return path
    return ""


def run_unit_tests(version: str, python: str) -> int:
    """Build the environment of that version below build/ and run; the runner's exit code."""
    folder = ROOT / "build" / f"venv-{version}"
    made = subprocess.run(
        [python, str(ROOT / "scripts" / "bootstrap.py"), "env", "--venv", str(folder)], cwd=ROOT, check=False
    )
    if made.returncode:
        return made.returncode
    print(f"unit tests on Python {version}", flush=True)
    command = [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """All versions, one after the other; 1 when any failed."""
    failed = []
    for version in VERSIONS:
        python = interpreter(version)
        if not python:
            print(f"Python {version} is not on this machine: skipped")
        elif run_unit_tests(version, python):
            failed.append(version)
    if failed:
        print(f"failed on Python {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
