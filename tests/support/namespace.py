"""Mounts for one command: in a mount namespace of its own, where this machine lets us make one."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from pathlib import Path

import pytest


def with_mounts(setup: str) -> list[str]:
    """What to put before a command so that the shell lines `setup` hold for it alone. Skips where not permitted."""
    if not _permitted():
        pytest.skip("this machine permits no mount namespaces")
    return [*_unshare(), "sh", "-ec", f'{setup}\nexec "$@"', "sh"]


def full_disk(folder: Path, size: str = "1m") -> list[str]:
    """The folder as it is, on a file system of that size without a free byte."""
    return with_mounts(f"{_on_tmpfs(folder, size)}\ncat /dev/zero > '{folder}/fill' 2>/dev/null || true")


def small_disk(folder: Path, size: str) -> list[str]:
    """The folder as it is, on a file system of that size; `inside` reaches it while the command runs."""
    return with_mounts(_on_tmpfs(folder, size))


def inside(pid: int, folder: Path) -> Path:
    """A folder as the process sees it."""
    return Path(f"/proc/{pid}/root{folder}")


def fill(folder: Path) -> None:
    """Write until nothing more fits."""
    with (folder / "fill").open("wb", buffering=0) as hole, contextlib.suppress(OSError):
        while True:
            hole.write(bytes(65536))


def read_only(folder: Path) -> list[str]:
    """The folder as it is, mounted read-only."""
    return with_mounts(f"mount --bind '{folder}' '{folder}'\nmount -o remount,ro,bind '{folder}'")


def administrator_file(text: str, folder: Path, mode: str = "644") -> list[str]:
    """`/etc/moorage/policy.toml` with that text, in a copy of /etc that lies in `folder`."""
    lines = [
        f"cp -a /etc '{folder}/etc' 2>/dev/null || true",
        f"mkdir -p '{folder}/etc/moorage'",
        f"cat > '{folder}/etc/moorage/policy.toml' <<'END'\n{text}\nEND",
        f"chmod {mode} '{folder}/etc/moorage/policy.toml'",
        f"mount --bind '{folder}/etc' /etc",
    ]
    return with_mounts("\n".join(lines))


def _on_tmpfs(folder: Path, size: str) -> str:
    kept = folder.with_name(folder.name + ".kept")
    return "\n".join(
        [
            f"rm -rf '{kept}'; cp -a '{folder}' '{kept}'",
            f"mount -t tmpfs -o size={size},mode=700 none '{folder}'",
            f"cp -a '{kept}/.' '{folder}/'",
        ]
    )


def _unshare() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@functools.cache
def _permitted() -> bool:
    try:
        probe = [*_unshare(), "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
