"""A program in a terminal window: a PTY that is its controlling terminal, read by a screen of ours."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.screen import Screen

_BECOME_FOREGROUND: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""the child makes the terminal its controlling one, then becomes the program: its pid stays"""


class Window:
    """`close` hangs up, as closing a window does, and ends the program if that was not enough."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path, *, rows: int = 34, cols: int = 110
    ) -> None:
        self._master, slave = os.openpty()
        self._drawing = threading.Lock()
        self._screen = Screen(rows, cols)
        self._set_size(rows, cols)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-c", _BECOME_FOREGROUND, *argv],
                env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
                cwd=cwd,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            )
        finally:
            os.close(slave)
        self._stopping, self._stop = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the program that was started; an exec keeps it."""
        return self.process.pid

    @property
    def text(self) -> str:
        """The screen now."""
        with self._drawing:
            return self._screen.text

    def keys(self, text: str) -> None:
        """Send keys."""
        os.write(self._master, text.encode())

    def wait_for(self, wanted: str | Callable[[str], bool], within_s: float = 30.0) -> str:
        """The screen, once a text stands on it (or the function says so); fails with the screen."""
        end = time.monotonic() + within_s
        while not (wanted(self.text) if callable(wanted) else wanted in self.text):
            if time.monotonic() > end:
                raise AssertionError(f"{wanted!r} did not come within {within_s} s on this screen:\n{self.text}")
            time.sleep(0.05)
        return self.text

    def wait(self, within_s: float = 10.0) -> int:
        """The program's exit code; negative for a signal."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {within_s} s, on this screen:\n{self.text}") from None

    def resize(self, rows: int, cols: int) -> None:
        """The window gets another size; the program is signalled by the kernel."""
        with self._drawing:
            self._screen.resize(rows, cols)
        self._set_size(rows, cols)

    def hang_up(self) -> None:
        """Close the window. Idempotent."""
        if self._master < 0:
            return
        os.close(self._stop)
        self._reader.join(5)
        os.close(self._stopping)
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Hang up and make sure that the program is gone. Idempotent."""
        self.hang_up()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_size(self, rows: int, cols: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def _read(self) -> None:
        """Show what comes until the last program has closed the terminal, or the window is closed."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while True:
            ready, _, _ = select.select([self._master, self._stopping], [], [])
            if self._stopping in ready:
                return
            try:
                data = os.read(self._master, 65536)
            except OSError:  # EIO: nobody holds the other side any more
                return
            with self._drawing:
                answer = self._screen.feed(decode(data))
            if answer:
                os.write(self._master, answer.encode())
