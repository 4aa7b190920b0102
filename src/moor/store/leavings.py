"""The end of a session's private folder, and of the empty folders that its agent left in places of the user's.

A sandbox makes folders to mount something over them and removes them afterwards; killed in between, it does not (seen
of Codex 0.169.0: `.git`, `.agents`, `.codex`, `.aws` in the work tree and in /tmp, where an empty `.git` then looks
to other programs like a repository).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from moor.store.files import remove_tree_private, write_private

_FILE: Final = "leavings.json"
_MAX_BYTES: Final = 65_536


def note_leavings(folder: Path, paths: Iterable[str]) -> None:
    """Keep in the session's folder which of them are missing now. Raises DiskFullError and its kin."""
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        import json

        write_private(folder / _FILE, json.dumps(missing).encode())


def end_folder(folder: Path) -> None:
    """Remove what was noted, as far as it is an empty folder, then the session's folder.

    Raises HomeUnwritableError when something of the session's folder stays.
    """
    for path in _noted(folder / _FILE):
        with suppress(OSError):
            os.rmdir(path)  # noqa: PTH106 - fails on a link, a file, and a folder with anything in it
    remove_tree_private(folder)


def _noted(path: Path) -> list[str]:
    import json  # at the end of a session only: the gateway loads it for nothing else

    try:
        with path.open("rb") as file:
            noted = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError):
        return []
    return [one for one in noted if isinstance(one, str)] if isinstance(noted, list) else []
