"""The real `moor`, started as a user would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Done(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def last_json(self) -> Any:
        """The JSON document on the last line of stdout."""
        return json.loads(self.stdout.splitlines()[-1])


def moor_command() -> list[str]:
    """The installed script beside this interpreter; the module where there is none."""
    script = Path(sys.executable).with_name("moor")
    return [str(script)] if script.exists() else [sys.executable, "-m", "moor"]


def run_moor_process(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path,
    stdin: str | None = None,
    timeout: float = 60,
    before: Sequence[str] = (),
) -> Done:
    """Run to the end without a terminal. Past `timeout` seconds the whole group is killed and the test fails.

    `before`: words that start another program which then becomes moor (`env`, `unshare`).
    """
    with subprocess.Popen(
        [*before, *moor_command(), *argv],
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"moor {' '.join(argv)} took over {timeout} s\n{out}\n{err}") from None
    return Done(process.returncode, out, err)
