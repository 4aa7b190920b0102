"""Moor as users have it: the wheel and the runtime lock in an environment of its own, nothing else.

The checkout's environment would mislead: msgspec looks for `typing_extensions`, which a type checker brings
along, and importing that costs a third of a launch.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "runtime.lock"
FOLDER = ROOT / "build" / "bench-venv"


def installed() -> Path:
    """The environment's `bin`, with the wheel of this checkout freshly installed."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / ".stamp"
    mark = hashlib.sha256(LOCK.read_bytes() + str(FOLDER).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != mark:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip(python, "--require-hashes", "-r", str(LOCK))
        stamp.write_text(mark, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        [wheel] = Path(folder).glob("*.whl")
        pip(python, "--no-deps", "--force-reinstall", str(wheel))
    return python.parent


def pip(python: Path, *args: str) -> None:
    """A quiet `pip install`."""
    command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", *args]
    subprocess.run(command, check=True)
