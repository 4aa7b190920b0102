"""What the registries call the newest release of each agent: asked only when told, remembered with the time.

`~/.moor/agents/newest.json`. A file that cannot be read counts as nothing asked yet.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from moor.agents.install import fetcher
from moor.agents.recipe import Recipe

if TYPE_CHECKING:
    from moor.store.home import Home

_FILE: Final = "newest.json"
_MAX_BYTES: Final = 1 << 20


class Newest(msgspec.Struct, frozen=True):
    """One answer."""

    version: str
    asked_at: float
    """seconds since the epoch"""


def ask_newest(recipe: Recipe, environ: Mapping[str, str]) -> str:
    """The version the registry calls the latest; empty when it does not say. BLOCKS on the network.

    Raises AgentInstallFailed: the registry cannot be asked.
    """
    with tempfile.TemporaryDirectory(prefix="moor-newest-") as scratch:
        return fetcher(recipe, environ).newest(recipe.dated_package, Path(scratch))


def remembered(home: Home) -> dict[str, Newest]:
    """The last answer for each agent; {} when none was asked for."""
    from moor.errors.store import FileUnreadableError
    from moor.store.files import read_bounded

    try:
        data = read_bounded(home.agents_dir / _FILE, _MAX_BYTES)
        return msgspec.json.decode(data or b"{}", type=dict[str, Newest])
    except (FileUnreadableError, msgspec.DecodeError):
        return {}


def remember(home: Home, answers: Mapping[str, Newest]) -> None:
    """Keep these answers beside those for other agents. Raises DiskFullError, HomeUnwritableError."""
    from moor.store.files import locked, write_private

    home.folder(home.agents_dir)
    with locked(home.agents_dir / ".newest.lock"):
        write_private(home.agents_dir / _FILE, msgspec.json.encode({**remembered(home), **answers}))
