"""Writing the private files of a plan."""

from __future__ import annotations

from pathlib import Path

from moor.domain.plan import LaunchPlan
from moor.store.files import write_atomic


def write_files(plan: LaunchPlan) -> None:
    """Write every file of the plan, owner only, its folders too."""
    for file in plan.files:
        path = Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, file.content, mode=file.mode)
