"""What must have happened once in an agent's private home before it may start there."""

from __future__ import annotations

import os
from pathlib import Path

from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentStartFailed
from moor.store.files import locked

LONGEST_S = 60.0
COMMAND_S = 45.0


def run_once(plan: LaunchPlan, agent: str, longest_s: float = COMMAND_S) -> None:
    """Run the plan's command unless its marker is there; others wait meanwhile. BLOCKS up to a minute.

    A command that fails leaves no marker and is no error: the agent itself will say what is wrong.
    Raises LockTimeoutError; AgentStartFailed when the command hangs.
    """
    once = plan.once
    if once is None or os.path.exists(once.marker):  # noqa: PTH110 - one look on a warm launch
        return
    marker = Path(once.marker)
    marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(Path(f"{marker}.lock"), timeout_s=LONGEST_S):
        if marker.exists():
            return
        succeeded = _succeeds(once.argv, plan.env, marker.parent, longest_s)
        if succeeded is None:
            raise AgentStartFailed(agent=agent, problem=f"{once.why}, which took over {longest_s:g} s")
        if succeeded:
            marker.touch(mode=0o600)


def _succeeds(argv: tuple[str, ...], env: dict[str, str], cwd: Path, longest_s: float) -> bool | None:
    """None when it did not end in time; it is killed then."""
    import subprocess

    try:
        done = subprocess.run(
            argv,
            env={**env, "PWD": str(cwd)},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=longest_s,
            check=False,
        )
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        return None
    return done.returncode == 0
