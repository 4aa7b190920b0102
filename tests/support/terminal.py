"""A command at a real terminal: a PTY that is its controlling terminal, answered as a person would."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.moor import moor_command


class Terminal:
    """One command on a PTY. `text` is all it has shown."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self._child = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *moor_command(), *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environ),
            cwd=cwd,
        )
        os.close(slave)

    def expect(self, words: str, within_s: float = 20.0) -> None:
        """Wait until the words have been shown (after those of the last `expect`)."""
        end = time.monotonic() + within_s
        while words not in self.text:
            assert time.monotonic() < end, f"{words!r} was not shown: {self.text!r}"
            if not self._read(0.1) and self._child.poll() is not None and not self._read(0.1):
                raise AssertionError(f"it ended before {words!r}: {self.text!r}")

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, line.encode() + b"\n")

    def end(self, within_s: float = 20.0) -> int:
        """Read to the end; returns the exit code."""
        end = time.monotonic() + within_s
        while self._child.poll() is None:
            assert time.monotonic() < end, f"it did not end: {self.text!r}"
            self._read(0.1)
        while self._read(0.1):
            pass
        return self._child.returncode

    def _read(self, wait_s: float) -> bool:
        readable, _, _ = select.select([self._master], [], [], wait_s)
        if not readable:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the last slave is closed
            return False
        self.text += piece.decode(errors="replace").replace("\r\n", "\n")
        return bool(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        os.close(self._master)
