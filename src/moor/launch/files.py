"""Writing the private files and links of a plan."""

from __future__ import annotations

import os
from pathlib import Path

from moor.domain.plan import LaunchPlan
from moor.errors.store import storage_error
from moor.store.leavings import note_leavings

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def write_files(plan: LaunchPlan, session_home: Path) -> None:
    """Write every file of the plan, owner only, its folders too, then its links. Raises DiskFull and its kin.

    They live as long as the session, in a folder nobody else reads yet: no rename, no fsync.
    """
    for file in plan.files:
        try:
            os.makedirs(os.path.dirname(file.path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - hot path
            with os.fdopen(os.open(file.path, _FLAGS, file.mode), "wb") as out:
                out.write(file.content)
        except OSError as error:
            raise storage_error(error, file.path) or error from error
    note_leavings(session_home, plan.leavings)
    for link in plan.links:
        try:
            os.makedirs(os.path.dirname(link.path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - hot path
            if not os.path.lexists(link.path):
                os.symlink(link.target, link.path)  # noqa: PTH211
        except OSError as error:
            raise storage_error(error, link.path) or error from error
