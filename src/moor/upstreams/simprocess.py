"""The simulator as a child process that cannot outlive us."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from moor.errors.sim import SimNotStarted

_MODULE: Final = "moor.sim"
_START_S: Final = 20.0
_STOP_S: Final = 2.0


class SimProcess:
    """One simulated workspace on a free port. It ends with `close`, and when this process dies in any way."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Start it and wait until it answers. BLOCKS up to 20 s. Raises SimNotStarted."""
        ready_read, ready_write = os.pipe()
        lifeline_read, self._lifeline = os.pipe()
        # -P and a folder of the system: the module is ours, whatever the current directory holds
        command = [sys.executable, "-P", "-m", _MODULE, "--port", "0"]
        command += ["--ready-fd", str(ready_write), "--lifeline-fd", str(lifeline_read)]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(ready_write, lifeline_read),
                cwd="/",
                env={name: value for name, value in environ.items() if not name.startswith("MOOR_")},
                start_new_session=True,
            )
        except OSError as error:
            os.close(ready_read)
            raise SimNotStarted("loopback", error.strerror or str(error)) from error
        finally:
            os.close(ready_write)
            os.close(lifeline_read)
        try:
            self.url = self._read_url(ready_read)
        finally:
            os.close(ready_read)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def close(self) -> None:
        """Stop it; waits two seconds at most, then kills. Idempotent."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                self._child.kill()
            self._child.wait()

    def _read_url(self, ready: int) -> str:
        readable, _, _ = select.select([ready], [], [], _START_S)
        url = os.read(ready, 4096).decode(errors="replace").strip() if readable else ""
        if not url:
            self.close()
            raise SimNotStarted(
                "loopback", "it ended before it answered" if readable else f"no answer in {_START_S:.0f} s"
            )
        return url
