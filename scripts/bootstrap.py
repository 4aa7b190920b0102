"""Builds the checkout's environment and installs the pinned agents; called by the Makefile.

    bootstrap.py env --venv DIR                  the environment, from requirements/dev.lock
    bootstrap.py agents --venv DIR --agents DIR  the agents, by `moor agents install` (--only NAME …: these)

Nothing is done when nothing changed (a stamp holds the digest of all inputs); two at once wait for each
other. Standard library only: it runs before anything is installed. Exit code 1 and one sentence on failure.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.lock"
AGENTS = ("opencode", "claude", "gemini", "codex", "hermes", "copilot", "goose", "pi", "qwen")
"""agents that tests and the demo need, by the name `moor agents install` takes"""

PINNED_IN = (".py", ".toml", ".json", ".lock")
"""files below src/moor/agents that say what is installed"""

NEEDED = {
    "git": "apt install git",
    "node": "apt install nodejs npm",
    "npm": "apt install nodejs npm",
}


class Failed(Exception):
    """One sentence for the user; nothing else is printed."""


def say(text: str) -> None:
    """A line of narration."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the checkout's lock; a second make waits here."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "bootstrap.lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(*parts: str | bytes) -> str:
    """Hex digest over all parts."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()


def wanted(folder: Path) -> str:
    """What the environment is made of: interpreter, place, lock, and our own metadata."""
    return digest(
        sys.version,
        str(folder),
        LOCK.read_bytes(),
        (ROOT / "pyproject.toml").read_bytes(),
        (ROOT / "hatch_build.py").read_bytes(),
    )


def build_environment(folder: Path) -> None:
    """Create or renew the environment unless its stamp says that it is the wanted one."""
    stamp = folder / ".stamp"
    mark = wanted(folder)
    python = folder / "bin" / "python"
    if python.exists() and read(stamp) == mark:
        return
    stamp.unlink(missing_ok=True)
    place = folder / ".place"
    if not works(python) or read(place) not in ("", str(folder)):
        say(f"making {show(folder)} with Python {sys.version.split()[0]}")
        venv.create(folder, with_pip=True, clear=True)
    say("installing from requirements/dev.lock")
    pip(python, "--require-hashes", "-r", str(LOCK))
    pip(python, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    place.write_text(str(folder), encoding="utf-8")
    stamp.write_text(mark, encoding="utf-8")


def install_agents(folder: Path, python: Path, names: Sequence[str] = AGENTS) -> None:
    """Install the pinned agents, at once, through moor's own installer; quick when they are there."""
    stamp = folder / ".stamp"
    pins = sorted(path for path in (ROOT / "src" / "moor" / "agents").rglob("*") if path.suffix in PINNED_IN)
    mark = digest(str(folder), *[pin.read_bytes() for pin in pins])
    if read(stamp) == mark and all((folder / "agents" / name).is_dir() for name in AGENTS):
        return
    for tool, remedy in NEEDED.items():
        if shutil.which(tool) is None:
            raise Failed(f"{tool} is missing; install it (Debian, Ubuntu: {remedy})")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    environ = {**without_moor(os.environ), "MOOR_HOME": str(folder)}
    say(f"installing the pinned {', '.join(names)} into {show(folder)}")
    command = [str(python), "-m", "moor", "agents", "install", *names]
    if subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Failed("an agent could not be installed; the lines above say which, and why")
    if names == AGENTS:
        stamp.write_text(mark, encoding="utf-8")


def pip(python: Path, *args: str) -> None:
    """One quiet `pip install`; its own words are shown when it fails."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *args]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Failed("pip could not install; the lines above say why (is a package index configured for pip?)")


def works(python: Path) -> bool:
    """Whether that interpreter starts, is of our version, and has pip."""
    script = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    try:
        done = subprocess.run([str(python), "-c", script], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def without_moor(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings of moor's own, so that the user's ones cannot leak in."""
    return {name: value for name, value in environ.items() if not name.startswith("MOOR_")}


def read(path: Path) -> str:
    """The file's text; empty when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def show(path: Path) -> str:
    """The path as a person in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Do the step that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("step", choices=["env", "agents"])
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--agents", type=Path, default=ROOT / ".agents-cache")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these agents instead of all")
    args = parser.parse_args()
    folder: Path = ROOT / args.venv
    try:
        with one_at_a_time():
            if args.step == "env":
                build_environment(folder)
            else:
                install_agents(ROOT / args.agents, folder / "bin" / "python", args.only or AGENTS)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
