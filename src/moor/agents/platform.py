"""What kind of machine this is, in the words that npm platform packages use."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import msgspec

_CPUS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm", "i686": "ia32"}


class Machine(msgspec.Struct, frozen=True):
    """Operating system, processor, C library and instruction set, as far as a package name depends on them."""

    system: str
    """`linux` or `darwin`"""
    cpu: str
    """`x64`, `arm64`, …; the system's own word where npm has none"""
    musl: bool = False
    avx2: bool = True
    """False: an x64 processor without AVX2, which needs a `baseline` build"""


def this_machine() -> Machine:
    """The machine we run on."""
    name = platform.machine().lower()
    cpu = _CPUS.get(name, name)
    return Machine(sys.platform, cpu, _has_musl(), cpu != "x64" or _has_avx2())


def _has_musl() -> bool:
    if sys.platform != "linux":
        return False
    if Path("/etc/alpine-release").exists():
        return True
    return not os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else True


def _has_avx2() -> bool:
    if sys.platform != "linux":
        return True
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return any("avx2" in line.split() for line in text.splitlines() if line.startswith("flags"))
