"""A command before an agent's first start: once, by one at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from moor.domain.plan import LaunchPlan, Once
from moor.errors.agent import AgentStartFailed
from moor.launch.once import run_once


def plan(folder: Path, code: int = 0) -> LaunchPlan:
    script = f"import time; time.sleep(0.2); open({str(folder / 'ran')!r}, 'a').write('x'); raise SystemExit({code})"
    once = Once((sys.executable, "-c", script), str(folder / "home" / "marker"), "why")
    return LaunchPlan(argv=("true",), env={}, cwd=str(folder), once=once)


def test_many_first_starts_at_once_run_it_once(tmp_path: Path) -> None:
    waiting = [threading.Thread(target=run_once, args=(plan(tmp_path), "x")) for _ in range(5)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    run_once(plan(tmp_path), "x")
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "x"


def test_a_command_that_fails_is_tried_again_at_the_next_start(tmp_path: Path) -> None:
    run_once(plan(tmp_path, code=1), "x")
    assert not (tmp_path / "home" / "marker").exists()
    run_once(plan(tmp_path), "x")
    assert (tmp_path / "home" / "marker").exists()
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "xx"


def test_a_command_that_is_not_there_is_left_to_the_agent_to_tell(tmp_path: Path) -> None:
    once = Once((str(tmp_path / "missing"),), str(tmp_path / "marker"), "why")
    run_once(LaunchPlan(argv=("true",), env={}, cwd=str(tmp_path), once=once), "x")
    assert not (tmp_path / "marker").exists()


def test_a_command_that_hangs_is_ended_and_told(tmp_path: Path) -> None:
    once = Once(("sleep", "4390"), str(tmp_path / "marker"), "its database is set up")
    plan = LaunchPlan(argv=("true",), env={}, cwd=str(tmp_path), once=once)
    with pytest.raises(AgentStartFailed, match=r"its database is set up, which took over 0\.2 s"):
        run_once(plan, "x", longest_s=0.2)
    assert not (tmp_path / "marker").exists()


def test_a_warm_launch_only_looks(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.touch()
    script = (
        "import sys; from moor.launch.once import run_once; from moor.domain.plan import LaunchPlan, Once; "
        f"run_once(LaunchPlan(argv=('x',), env={{}}, cwd='/', once=Once(('x',), {str(marker)!r}, '')), 'x');"
        "print('subprocess' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "False"
