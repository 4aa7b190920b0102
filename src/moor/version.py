"""Version and commit, without importlib.metadata (49 ms) and without starting git."""

from __future__ import annotations

import os

from moor import __version__

_HERE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the cost of `moor --version`


def commit() -> str:
    """Twelve characters of the commit this moor was built from, or of its checkout; empty if neither."""
    return _read(os.path.join(_HERE, "_build.txt")) or _checkout_commit()  # noqa: PTH118


def version_line() -> str:
    """`moor 0.1.0 (1a2b3c4d5e6f)`."""
    built = commit()
    return f"moor {__version__}" + (f" ({built})" if built else "")


def _checkout_commit() -> str:
    git = os.path.join(_HERE, "..", "..", ".git")  # noqa: PTH118
    head = _read(os.path.join(git, "HEAD"), whole=True)  # noqa: PTH118
    if not head.startswith("ref: "):
        return head[:12]
    ref = head[5:]
    return _read(os.path.join(git, *ref.split("/"))) or _packed(git, ref)  # noqa: PTH118


def _packed(git: str, ref: str) -> str:
    for line in _read(os.path.join(git, "packed-refs"), whole=True).splitlines():  # noqa: PTH118
        if line.endswith(" " + ref):
            return line[:12]
    return ""


def _read(path: str, whole: bool = False) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read().strip()
    except OSError:
        return ""
    return text if whole else text[:12]
