"""The command lines that are compared, and the private world they run in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from moor.agents import DEFAULT_AGENT
from moor.agents.opencode.release import PINNED, platform_package
from moor.agents.platform import this_machine

CONFIG = """
[defaults]
upstream = "bench"
model = "bench-model"
small_model = "bench-model"

[upstreams.bench]
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
models = ["bench-model"]
"""


class Case(NamedTuple):
    """One line to time, and what it is held against."""

    name: str
    argv: tuple[str, ...]
    aim: float | None
    """largest ratio to the bare interpreter (design, section 7); None for the yardstick itself"""


class World(NamedTuple):
    """A home with an upstream that is never asked, and an agent that ends at once."""

    environ: dict[str, str]
    cwd: Path


def make_world(folder: Path) -> World:
    """Lay out the home and the stub agent below `folder`."""
    home = folder / "home"
    (home / ".moor").mkdir(parents=True, mode=0o700)
    (home / ".moor" / "config.toml").write_text(CONFIG, encoding="utf-8")
    agents = folder / "agents"
    program = (
        agents / DEFAULT_AGENT / PINNED / "node_modules" / platform_package(this_machine()) / "bin" / DEFAULT_AGENT
    )
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    work = folder / "work"
    work.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "MOOR_HOME": str(home / ".moor"),
        "MOOR_TEST_AGENTS": str(agents),
    }
    return World(environ, work)


def cases(folder: Path) -> list[Case]:
    """The yardstick first; `folder` holds `python` and `moor`."""
    moor = str(folder / "moor")
    return [
        Case("python -c pass", (str(folder / "python"), "-c", "pass"), None),
        Case("moor --version", (moor, "--version"), 2),
        Case("moor --help", (moor, "--help"), None),
        Case(f"moor {DEFAULT_AGENT}, warm, until its exec", (moor, "-q", DEFAULT_AGENT), 5),
    ]


def modules_of_help(world: World, folder: Path) -> int:
    """How many modules `moor --help` imports."""
    command = [str(folder / "python"), "-X", "importtime", "-m", "moor", "--help"]
    done = subprocess.run(
        command, env=world.environ, cwd=world.cwd, capture_output=True, encoding="utf-8", check=True
    )
    return sum(line.startswith("import time:") for line in done.stderr.splitlines()) - 1
