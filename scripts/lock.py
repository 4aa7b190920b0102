"""Renews requirements/*.lock from pyproject.toml with `uv`: universal, with hashes, without addresses.

Pins that still fit are kept; `python -m scripts.lock --upgrade` takes the newest ones.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from moor.agents.hermes import release as hermes

ROOT = Path(__file__).resolve().parent.parent

LOCKS = {
    "runtime.lock": [],
    "dev.lock": ["--group", "dev"],
}
"""file to the options that choose its packages"""

AGENTS = (hermes,)
"""agents that are installed from a lock of Python packages; it lies beside their `release.py`"""

FIXED = ["--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]


def main() -> int:
    """Both locks; the second is resolved under the first, so that they agree."""
    uv = shutil.which("uv")
    if uv is None:
        print("error: uv is missing; install it (pip install uv), then type: make lock", file=sys.stderr)
        return 1
    folder = ROOT / "requirements"
    for name, extra in LOCKS.items():
        under = [] if name == "runtime.lock" else ["--constraint", str(folder / "runtime.lock")]
        command = [
            uv,
            "pip",
            "compile",
            "pyproject.toml",
            "-q",
            *FIXED,
            *extra,
            *under,
            *sys.argv[1:],
            "-o",
            str(folder / name),
        ]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code:
            return code
    return max(agent_lock(uv, release.recipe().packages, release.LOCK) for release in AGENTS)


def agent_lock(uv: str, packages: tuple[str, ...], lock: Path) -> int:
    """The lock of an agent's own environment, for the oldest Python that moor makes one with; uv's exit code."""
    command = [uv, "pip", "compile", "-", "-q", *FIXED, "--no-annotate", "--python-version", "3.11", *sys.argv[1:]]
    asked = "\n".join(packages).encode()
    return subprocess.run([*command, "-o", str(lock)], input=asked, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
