"""The programs that fetch packages (npm, pip): run to their end, or stopped when the user stops us.

They run in sessions of their own, so that one Ctrl-C ends in order what several installs had begun: their programs
are stopped, their folders removed, and then moor ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_GRACE_S: Final = 2.0


class Stopped(OSError):
    """The user stopped the install."""


class Tools:
    """Programs under way in all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """The user has stopped what this process installs."""
        return self._stopping

    def run(
        self, argv: Sequence[str], *, cwd: Path | str, env: Mapping[str, str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end. BLOCKS. Raises OSError, subprocess.TimeoutExpired, and Stopped after stop()."""
        with self._lock:
            if self._stopping:
                raise Stopped
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except BaseException:  # past its time, or Ctrl-C while it is waited for in the main thread
            _signal(process, signal.SIGKILL)
            process.communicate()
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopping:
            raise Stopped
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    def stop(self) -> None:
        """Stop all of them and start no more; returns after 2 s at most, when they are killed."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S / len(running))
            _signal(process, signal.SIGKILL)


TOOLS: Final = Tools()


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To its whole group: npm starts helpers."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
