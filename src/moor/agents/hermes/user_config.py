"""What of the user's own `~/.hermes` is taken over, as places, and what is not. Nothing there is changed.

config.yaml is read by `shim.py`, in Hermes' interpreter, which can read YAML; here only its sections are named.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from moor.agents.hermes.shim import SETTINGS
from moor.domain.plan import LeftOut

_SECTION: Final = re.compile(r"^([A-Za-z_]\w*)\s*:\s*(\S?)", re.MULTILINE)
_MAX_BYTES: Final = 1 << 20
_DECIDED: Final = "moor decides it"
_STARTS: Final = "it starts programs"
_HOLDS: Final = "it holds credentials"
_SECTIONS: Final = {
    **dict.fromkeys(("providers", "custom_providers", "fallback_providers", "model", "auxiliary"), _DECIDED),
    **dict.fromkeys(("mcp_servers", "hooks", "quick_commands", "plugins"), _STARTS),
    "secrets": _HOLDS,
}
"""sections worth a word; the others are Hermes' ways with services that are switched off"""
_PLACES: Final = {".env": _HOLDS, "auth.json": _HOLDS, "plugins": _STARTS, "hooks": _STARTS, "cron": _STARTS}
SEED: Final = ("MEMORY.md", "USER.md")


class UserConfig(msgspec.Struct, frozen=True):
    """Places of the user's own. All may be absent."""

    folder: Path
    left_out: tuple[LeftOut, ...]

    @property
    def settings(self) -> str:
        """Its config.yaml; only the sections of shim.SETTINGS are taken."""
        return str(self.folder / "config.yaml")

    @property
    def skills(self) -> str:
        """Its skills."""
        return str(self.folder / "skills")

    def seeds(self, memories: Path) -> list[list[str]]:
        """(source, target) of memories, copied once into the private home; they grow apart from there."""
        return [[str(self.folder / "memories" / name), str(memories / name)] for name in SEED]


def read_user_config(user_home: Path, environ: dict[str, str]) -> UserConfig:
    """The user's own home of Hermes: HERMES_HOME of their environment, else `~/.hermes`."""
    named = environ.get("HERMES_HOME", "")
    folder = Path(named) if named.startswith("/") else user_home / ".hermes"
    shown = "$HERMES_HOME" if named.startswith("/") else "~/.hermes"
    found = [LeftOut(name, shown, why) for name, why in _PLACES.items() if _holds(folder / name)]
    for name, rest in _SECTION.findall(_text(folder / "config.yaml")):
        if name in _SECTIONS and name not in SETTINGS and rest not in ("{", "["):
            found.append(LeftOut(name, f"{shown}/config.yaml", _SECTIONS[name]))
    return UserConfig(folder, tuple(found))


def _holds(path: Path) -> bool:
    """Whether there is a file, or a folder with something in it: Hermes makes empty ones."""
    try:
        return path.is_file() or (path.is_dir() and any(path.iterdir()))
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
