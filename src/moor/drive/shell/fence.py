"""What lies inside the work tree and what outside of it. Paths are resolved through links."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

INSIDE: Final = "inside"
DEVICE: Final = "device"
"""/dev/null and its like: writing there does nothing"""
SYSTEM: Final = "system"
"""outside, but not anybody's own: programs, headers, documentation"""
PRIVATE: Final = "private"
"""outside, in a home folder or another person's place"""

_DEVICES: Final = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty", "/dev/zero"})
_SYSTEM: Final = (
    *(
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/opt",
        "/etc",
        "/nix",
        "/Library",
        "/System",
        "/proc",
        "/sys",
        "/dev",
    ),
    *("/tmp", "/var", "/private", "/run"),  # noqa: S108
)
_SECRET_SYSTEM: Final = re.compile(
    r"/etc/(shadow|gshadow|sudoers|ssh|moorage)|/proc/[^/]+/(environ|mem|fd|root|cwd|maps)|/run/secrets"
)


class Fence:
    """The work tree of one session. `scratch`: a private folder of the session's own, which counts as inside."""

    def __init__(self, root: str, home: str, scratch: str = "") -> None:
        self.root = os.path.realpath(root)
        self.home = home
        self._scratch = os.path.realpath(scratch) if scratch else ""
        self._spelled = os.path.normpath(root)

    def absolute(self, path: str, base: str | None = None) -> str:
        """The path as an absolute one, `~` put in; links not followed."""
        if path == "~" or path.startswith("~/"):
            path = self.home + path[1:]
        return os.path.normpath(os.path.join(base or self.root, path))  # noqa: PTH118

    def kind(self, path: str, base: str | None = None) -> str:
        """INSIDE, DEVICE, SYSTEM or PRIVATE. A path that leaves the tree through a link is outside."""
        absolute = self.absolute(path, base)
        if absolute in _DEVICES or absolute.startswith("/dev/fd/"):
            return DEVICE
        real = os.path.realpath(absolute)
        if _below(real, self.root) or (self._scratch and _below(real, self._scratch)):
            return INSIDE
        if _SECRET_SYSTEM.match(real) or _SECRET_SYSTEM.match(absolute):
            return PRIVATE
        if any(_below(real, top) for top in _SYSTEM) and not _below(real, os.path.realpath(self.home)):
            return SYSTEM
        return PRIVATE

    def is_root(self, path: str, base: str | None = None) -> bool:
        """Whether it is the work tree itself, its .git, or a folder above."""
        real = os.path.realpath(self.absolute(path, base))
        return _below(self.root, real) or _below(real, str(Path(self.root) / ".git"))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
