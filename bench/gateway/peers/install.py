"""Installs a peer at its pinned version into an environment of its own below build/bench-peers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bench.gateway.peers.base import MARK, Peer

POLITE = ("nice", "-n", "19")
TIMEOUT_S = 1800


def install(peer: Peer) -> str:
    """Empty when the peer is installed, else why it cannot be. What an older installation left is removed first."""
    if peer.installed == peer.version:
        return ""
    shutil.rmtree(peer.root, ignore_errors=True)
    peer.root.mkdir(parents=True)
    steps = _pip(peer) if peer.manager == "pip" else _npm(peer)
    for step in steps:
        problem = _run(step, peer.root)
        if problem:
            return problem
    (peer.root / MARK).write_text(peer.version, encoding="utf-8")
    return ""


def _pip(peer: Peer) -> list[list[str]]:
    wanted = [f"{peer.package}=={peer.version}", *peer.pins]
    python = str(peer.root / "bin" / "python")
    return [
        [sys.executable, "-m", "venv", str(peer.root)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
    ]


def _npm(peer: Peer) -> list[list[str]]:
    """Scripts of packages are not run: no peer needs them."""
    pinned = dict(pin.rpartition("@")[::2] for pin in peer.pins)
    wanted = {"private": True, "dependencies": {peer.package: peer.version}, "overrides": pinned}
    (peer.root / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    argv = ["npm", "install", "--prefix", str(peer.root), "--ignore-scripts", "--no-audit", "--no-fund"]
    return [[*argv, "--no-package-lock"]]


def _run(argv: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            [*POLITE, *argv],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        return f"{error.filename} is not there"
    except subprocess.TimeoutExpired:
        return f"not done after {TIMEOUT_S} s"
    return "" if done.returncode == 0 else _reason(done.stderr + done.stdout)


def _reason(output: str) -> str:
    """The line that says most, cut short: npm's first after its code, pip's last."""
    lines = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    npm = [line for line in lines if line.startswith("npm ") and "error code" not in line]
    return (npm[:1] or lines[-1:] or ["it ended without a word"])[0][:200]
