"""Model lists as last fetched, one file an upstream: `~/.moor/catalogues/NAME.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from moor.domain.models import Catalogue
from moor.store.files import file_name, read_bounded, write_private
from moor.store.home import Home

_VERSION: Final = 1
_MAX_BYTES: Final = 32 * 1024 * 1024


class _File(msgspec.Struct, frozen=True):
    version: int
    catalogue: Catalogue


def load_catalogue(home: Home, upstream: str) -> Catalogue | None:
    """The stored list; None when there is none, or it is damaged or of another version (fetch it again)."""
    data = read_bounded(_path(home, upstream), _MAX_BYTES)
    if data is None:
        return None
    try:
        file = msgspec.json.decode(data, type=_File)
    except msgspec.MsgspecError:
        return None
    return file.catalogue if file.version == _VERSION else None


def save_catalogue(home: Home, catalogue: Catalogue) -> None:
    """Store the list under its upstream's name, atomically."""
    home.folder(home.catalogues_dir)
    write_private(_path(home, catalogue.upstream), msgspec.json.encode(_File(_VERSION, catalogue)))


def remove_catalogue(home: Home, upstream: str) -> None:
    """Forget the list of that upstream; fine when there is none."""
    _path(home, upstream).unlink(missing_ok=True)


def _path(home: Home, upstream: str) -> Path:
    return home.catalogues_dir / f"{file_name(upstream)}.json"
