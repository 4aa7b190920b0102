"""The log: JSON lines, masked, private, bounded, shared by processes."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.store.home import Home
from moor.store.logs import KEPT, JsonFormatter, RedactingFilter, SharedFileHandler, start_logging, stop_logging

TOKEN = "dapi0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


@pytest.fixture
def log(home: Home) -> Iterator[Path]:
    handler = start_logging(home, session="ses_1")
    yield home.log_dir / "moor.log"
    stop_logging(handler)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_is_one_json_line_with_what_was_bound(log: Path) -> None:
    logging.getLogger("moor.gateway").info("call %s\nended", "call_1")
    (line,) = lines(log)
    assert (line["message"], line["session"], line["level"]) == ("call call_1\nended", "ses_1", "info")
    assert (line["logger"], str(line["at"])[-1]) == ("moor.gateway", "Z")


@pytest.mark.feature("F17.5")
def test_no_credential_reaches_the_log_by_message_argument_or_traceback(log: Path) -> None:
    logger = logging.getLogger("x")
    logger.warning("token %s and Bearer %s", TOKEN, "abcdefghijklmnopqrstuvwxyz")
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logger.exception("failed with %s", {"token": TOKEN})
    text = log.read_text(encoding="utf-8")
    assert TOKEN not in text
    assert "abcdefghijklmnop" not in text
    assert "ValueError: dapi…cdef" in str(lines(log)[1]["traceback"])


def test_the_log_is_private(log: Path) -> None:
    logging.getLogger("x").info("y")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_line_of_any_length_is_cut(log: Path) -> None:
    logging.getLogger("x").info("y" * 1_000_000)
    assert log.stat().st_size < 20_000


def handler_for(path: Path, max_bytes: int) -> SharedFileHandler:
    handler = SharedFileHandler(path, max_bytes)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(JsonFormatter({}))
    return handler


def log_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix != ".lock")


def record(number: int) -> logging.LogRecord:
    return logging.LogRecord("x", logging.INFO, "f", 1, "line %d", (number,), None)


def test_the_log_never_takes_more_than_its_share_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "moor.log"
    handler = handler_for(path, max_bytes=2_000)
    for number in range(500):
        handler.handle(record(number))
    handler.close()
    files = log_files(tmp_path)
    assert len(files) == KEPT + 1
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert lines(path)[-1]["message"] == "line 499"


def test_a_log_that_another_process_moved_aside_is_not_moved_again(tmp_path: Path) -> None:
    path = tmp_path / "moor.log"
    mine, other = handler_for(path, 2_000), handler_for(path, 2_000)
    while not (tmp_path / "moor.log.1").exists():
        mine.handle(record(1))
    while len(log_files(tmp_path)) == 2 and lines(path)[-1]["message"] != "line 2":
        other.handle(record(2))
    assert [file.name for file in log_files(tmp_path)] == ["moor.log", "moor.log.1"]
    mine.close()
    other.close()


WRITE = """
import logging, sys
from pathlib import Path
from moor.store.logs import JsonFormatter, SharedFileHandler
handler = SharedFileHandler(Path(sys.argv[1]), 20_000)
handler.setFormatter(JsonFormatter({"who": sys.argv[2]}))
for number in range(300):
    handler.handle(logging.LogRecord("x", logging.INFO, "f", 1, f"line {number}", None, None))
"""


def test_processes_share_a_log_without_breaking_a_line(tmp_path: Path) -> None:
    path = tmp_path / "moor.log"
    workers = [subprocess.Popen([sys.executable, "-c", WRITE, str(path), str(n)]) for n in range(6)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 6
    files = log_files(tmp_path)
    assert sum(len(lines(file)) for file in files) > 0
    one_line_each = 6 * 200  # each other process may write one between our look at the size and our write
    assert all(file.stat().st_size <= 20_000 + one_line_each for file in files)


def test_a_line_that_cannot_be_written_is_dropped(tmp_path: Path) -> None:
    handler = handler_for(Path("/dev/full"), max_bytes=1_000_000)
    handler.handle(record(1))
    handler.close()
    handler.close()
