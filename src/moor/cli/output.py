"""How moor speaks: results on stdout, narration on stderr, colour by NO_COLOR and the terminal.

A reader that leaves (a closed pipe, a closed terminal) ends a command that only shows results; narration is never
worth breaking off work for, and falls silent.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from moor.errors import MoorError
from moor.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STYLES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1", "cyan": "36"}


class Output:
    """stdout and stderr of one command. All narration is redacted."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        quiet: bool = False,
        verbose: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.quiet = quiet
        self.verbose = verbose
        self._dumb = environ.get("TERM") == "dumb"
        self._plain = bool(environ.get("NO_COLOR")) or self._dumb

    @property
    def shows_live(self) -> bool:
        """Lines on stderr can be drawn again: a terminal that moves its cursor, and not --quiet."""
        return not (self.quiet or self._dumb) and self.stderr.isatty()

    def result(self, text: str) -> None:
        """A line of the command's result. Raises BrokenPipeError when nobody reads it any more."""
        if not _written(self.stdout, text + "\n"):
            raise BrokenPipeError

    def json(self, value: Any) -> None:
        """One JSON document on one line of stdout (msgspec structs allowed). Raises BrokenPipeError."""
        import msgspec

        self.result(msgspec.json.encode(value).decode())

    def stream(self, text: str) -> None:
        """A piece of a result while work goes on that must not end with its reader."""
        _written(self.stdout, text)

    def say(self, text: str) -> None:
        """A line of narration; silent with --quiet."""
        if not self.quiet:
            self._narrate(redact(text))

    def detail(self, text: str) -> None:
        """A line for --verbose only."""
        if self.verbose:
            self._narrate(self.paint(redact(text), "dim", self.stderr))

    def warn(self, text: str) -> None:
        """A warning; shown with --quiet too."""
        self._narrate(f"{self.paint('warning:', 'yellow', self.stderr)} {redact(text)}")

    def error(self, error: MoorError) -> None:
        """`error: ref: message`, what was seen, and the next command."""
        self.problem(error.ref, error.message, error.hint, error.context)

    def problem(self, ref: str, message: str, hint: str = "", context: str = "") -> None:
        """The same for an error that arrives as data."""
        lines = [f"{self.paint('error:', 'red', self.stderr)} {ref}: {redact(message)}"]
        lines += [f"  {line}" for line in redact(context).splitlines()]
        if hint:
            lines.append(f"{self.paint('hint:', 'cyan', self.stderr)} {redact(hint)}")
        self._narrate("\n".join(lines))

    def paint(self, text: str, style: str, stream: TextIO | None = None) -> str:
        """The text in a style where the stream is a terminal that shows one."""
        if self._plain or not (stream or self.stdout).isatty():
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Columns aligned with two spaces between; `right` names the columns that are numbers."""
        grid = [list(head), *[list(row) for row in rows]]
        widths = [max(len(row[i]) for row in grid) for i in range(len(head))]
        for number, row in enumerate(grid):
            cells = [
                c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            ]
            line = "  ".join(cells).rstrip()
            self.result(self.paint(line, "dim") if number == 0 else line)

    def _narrate(self, text: str) -> None:
        _written(self.stderr, text + "\n")


def _written(stream: TextIO, text: str) -> bool:
    """Write and flush; False when the other side is gone (EPIPE a pipe, EIO a terminal): silent from then on."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        _silence(stream)
        return False
    return True


def _silence(stream: TextIO) -> None:
    """Let the stream's descriptor lead nowhere, so that what it still holds does not fail again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
