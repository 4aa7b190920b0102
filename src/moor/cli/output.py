"""How moor speaks: results on stdout, narration on stderr, colour by NO_COLOR and the terminal."""

from __future__ import annotations

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
        self._plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"

    def result(self, text: str) -> None:
        """A line of the command's result."""
        print(text, file=self.stdout, flush=True)

    def json(self, value: Any) -> None:
        """One JSON document on one line of stdout (msgspec structs allowed)."""
        import msgspec

        print(msgspec.json.encode(value).decode(), file=self.stdout, flush=True)

    def say(self, text: str) -> None:
        """A line of narration; silent with --quiet."""
        if not self.quiet:
            print(redact(text), file=self.stderr, flush=True)

    def detail(self, text: str) -> None:
        """A line for --verbose only."""
        if self.verbose:
            print(self.paint(redact(text), "dim", self.stderr), file=self.stderr, flush=True)

    def warn(self, text: str) -> None:
        """A warning; shown with --quiet too."""
        print(f"{self.paint('warning:', 'yellow', self.stderr)} {redact(text)}", file=self.stderr, flush=True)

    def error(self, error: MoorError) -> None:
        """`error: ref: message`, what was seen, and the next command."""
        self.problem(error.ref, error.message, error.hint, error.context)

    def problem(self, ref: str, message: str, hint: str = "", context: str = "") -> None:
        """The same for an error that arrives as data."""
        print(f"{self.paint('error:', 'red', self.stderr)} {ref}: {redact(message)}", file=self.stderr)
        for line in redact(context).splitlines():
            print(f"  {line}", file=self.stderr)
        if hint:
            print(f"{self.paint('hint:', 'cyan', self.stderr)} {redact(hint)}", file=self.stderr)
        self.stderr.flush()

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
