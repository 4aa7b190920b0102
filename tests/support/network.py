"""What a command and all it starts do on the network: watched by strace, or in a network of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CALLS = "connect,sendto,sendmsg,sendmmsg"
"""system calls that name an address"""
LOCAL = ("127.", "::1", "::ffff:127.", "0.0.0.0")
"""this machine, as the kernel shows it"""
_NAMES = "53"
"""who asks a name server, local or not, means to leave"""
_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")')


def strace(log: Path, calls: str = CALLS) -> list[str]:
    """What to put before a command so that these system calls of it and all it starts are written to `log`.

    A line begins with the pid. Skips where strace is not installed.
    """
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    return [program, "-f", "-qq", "-s", "200", "-e", f"trace={calls}", "-o", str(log), "--"]


def addresses(log: Path) -> set[tuple[str, str]]:
    """(port, address) of every call in a trace. Fails when there is none: then nothing was watched."""
    text = log.read_text(encoding="utf-8", errors="replace")
    reached = {(port, v4 or v6) for port, v4, v6 in (found.groups() for found in _ADDRESS.finditer(text))}
    assert reached, "the trace must hold the calls to the gateway"
    return reached


def beyond(log: Path) -> set[tuple[str, str]]:
    """Those that name another machine, or a name server."""
    return {(port, at) for port, at in addresses(log) if port == _NAMES or not at.startswith(LOCAL)}


def without_network() -> list[str]:
    """The command prefix that gives a process a network of its own with loopback only; skips where there is none."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if unshare is None or ip is None:
        pytest.skip("unshare or ip is not installed")
    prefix = [unshare, "--map-root-user", "--net", "sh", "-c", f'{ip} link set lo up && exec "$@"', "sh"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not permit a network namespace")
    return prefix
