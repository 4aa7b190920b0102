"""Programs that fetch packages end when the user stops them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moor.agents.tools import Stopped, Tools


def test_what_a_program_says_and_how_it_ends_is_returned(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd()); sys.stderr.write(os.environ['WORD']); sys.exit(3)"
    done = Tools().run([sys.executable, "-c", script], cwd=tmp_path, env={"WORD": "said"}, timeout_s=30)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (3, str(tmp_path), "said")


def test_a_program_past_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(subprocess.TimeoutExpired):
        Tools().run(["sh", "-c", script], cwd="/", env={"PATH": "/usr/bin:/bin"}, timeout_s=1)
    child = int((tmp_path / "pid").read_text(encoding="utf-8"))
    assert gone(child)


def test_stopping_ends_what_runs_and_starts_no_more(tmp_path: Path) -> None:
    tools = Tools()
    ended: list[type[BaseException]] = []

    def work() -> None:
        try:
            tools.run(["sh", "-c", f"echo > {tmp_path}/on; sleep 60"], cwd="/", env={"PATH": "/bin"}, timeout_s=90)
        except Stopped as error:
            ended.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    while not (tmp_path / "on").exists():
        time.sleep(0.01)
    tools.stop()
    thread.join(10)
    assert ended == [Stopped]
    with pytest.raises(Stopped):
        tools.run(["true"], cwd="/", env={}, timeout_s=5)


def gone(pid: int) -> bool:
    """Whether no process of that pid is left after 5 s."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
