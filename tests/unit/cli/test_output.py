"""What happens to output whose reader has left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from moor.cli.output import Output


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose other end is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture
def hung_up() -> Iterator[TextIO]:
    """A terminal whose window is closed."""
    master, slave = os.openpty()
    os.close(master)
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture(params=["unread", "hung_up"])
def gone(request: pytest.FixtureRequest) -> TextIO:
    stream: TextIO = request.getfixturevalue(request.param)
    return stream


def test_narration_falls_silent_and_the_work_goes_on(gone: TextIO) -> None:
    out = Output({}, stderr=gone, verbose=True)
    for _ in range(3):
        out.say("a step")
        out.detail("more")
        out.warn("careful")
        out.problem("ref", "message", "hint", "context")


def test_a_streamed_answer_falls_silent(gone: TextIO) -> None:
    out = Output({}, stdout=gone)
    out.stream("half a ")
    out.stream("sentence")


def test_results_nobody_reads_end_the_command(gone: TextIO) -> None:
    out = Output({}, stdout=gone)
    with pytest.raises(BrokenPipeError):
        out.result("a line")


def test_a_full_disk_is_no_reader_that_left() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w", encoding="utf-8") as stream:
        with pytest.raises(OSError, match="No space"):
            Output({}, stdout=stream).result("a line")
        with open_nowhere() as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def open_nowhere() -> TextIO:
    """Where a full stream's rest may go."""
    return Path(os.devnull).open("w", encoding="utf-8")
