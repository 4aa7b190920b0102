"""What must have happened once in an agent's private home before it may start there."""

from __future__ import annotations

import os
from pathlib import Path

from moor.domain.plan import LaunchPlan
from moor.store.files import locked

LONGEST_S = 60.0


def run_once(plan: LaunchPlan) -> None:
    """Run the plan's command unless its marker is there; others wait meanwhile. BLOCKS up to a minute.

    A command that fails leaves no marker and is no error: the agent itself will say what is wrong.
    Raises LockTimeoutError.
    """
    once = plan.once
    if once is None or os.path.exists(once.marker):  # noqa: PTH110 - one look on a warm launch
        return
    marker = Path(once.marker)
    marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(Path(f"{marker}.lock"), timeout_s=LONGEST_S):
        if not marker.exists() and _succeeds(once.argv, plan.env, marker.parent):
            marker.touch(mode=0o600)


def _succeeds(argv: tuple[str, ...], env: dict[str, str], cwd: Path) -> bool:
    import subprocess

    try:
        done = subprocess.run(
            argv,
            env={**env, "PWD": str(cwd)},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
