"""Progress of several jobs at once: a line each that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from moor.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Board:
    """Plain lines on stderr; each names its job when there are several."""

    def __init__(self, out: Output, names: Sequence[str]) -> None:
        self._out = out
        self._names = list(names)

    def __enter__(self) -> None:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def voice(self, name: str) -> Callable[[str], None]:
        """What a job calls, from its own thread, to say how it goes."""
        return lambda text: self.say(name, text)

    def say(self, name: str, text: str) -> None:
        """A job says something."""
        self._out.say(f"{name}: {text}" if len(self._names) > 1 else text)

    def done(self, name: str, *, ok: bool) -> None:
        """A job has ended."""


class LiveBoard(Board):
    """One line a job with what it does and for how long; gone when all have ended."""

    def __init__(self, out: Output, names: Sequence[str]) -> None:
        super().__init__(out, names)
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        width = max((len(name) for name in names), default=0)
        self._progress: Progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.fields[agent]}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(file=out.stderr),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {
            name: self._progress.add_task("waits", total=1, agent=name.ljust(width)) for name in self._names
        }

    def __enter__(self) -> None:
        self._progress.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, name: str, text: str) -> None:
        self._progress.update(self._tasks[name], description=text)

    def done(self, name: str, *, ok: bool) -> None:
        self._progress.update(self._tasks[name], completed=1, description="done" if ok else "failed")


def board(out: Output, names: Sequence[str]) -> Board:
    """The form that fits where stderr leads."""
    return LiveBoard(out, names) if out.shows_live else Board(out, names)
