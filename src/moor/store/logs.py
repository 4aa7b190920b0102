"""The log of long-lived processes: JSON lines in `~/.moor/log/moor.log`, masked, 0600, of bounded size.

Several gateway processes write to the one file: each line is one write, and whoever finds the file full
moves it aside under a lock while the others follow (it may pass its bound by one line a process). A line
that cannot be written is dropped: a full disk must not end a call.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Final

import msgspec

from moor.errors.base import MoorError
from moor.secrets import redact
from moor.store.files import locked
from moor.store.home import Home

MAX_BYTES: Final = 4 * 1024 * 1024
KEPT: Final = 3
"""older files that are kept beside the current one: moor.log.1 …"""
MAX_LINE: Final = 16 * 1024


class RedactingFilter(logging.Filter):
    """Masks everything that has the shape of a credential, in message and traceback, before it is formatted."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the (masked) record through."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, pid, message, and what was bound to the process."""

    def __init__(self, bound: dict[str, str]) -> None:
        super().__init__()
        self._bound = bound

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of at most MAX_LINE characters in each text."""
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            **self._bound,
            "message": record.getMessage()[:MAX_LINE],
        }
        if record.exc_text:
            line["traceback"] = record.exc_text[-MAX_LINE:]
        try:
            return msgspec.json.encode(line).decode()
        except UnicodeEncodeError:  # a path that is no UTF-8
            import json

            return json.dumps(line, ensure_ascii=False)


class SharedFileHandler(logging.Handler):
    """Appends lines to one file that other processes append to as well, and keeps it bounded."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._fd = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a line that cannot be written is dropped."""
        try:
            data = self.format(record).encode("utf-8", "replace") + b"\n"
            if os.fstat(self._fd).st_size + len(data) > self._max_bytes:
                self._rotate()
            os.write(self._fd, data)
        except (OSError, MoorError):
            return

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        with locked(self._path.with_name(self._path.name + ".lock"), timeout_s=1.0):
            mine, now = os.fstat(self._fd), self._path.stat() if self._path.exists() else None
            if now is not None and mine.st_ino == now.st_ino:  # else another process was first
                for number in range(self._kept, 0, -1):
                    older = self._numbered(number - 1)
                    if older.exists():
                        older.replace(self._numbered(number))
            fresh = self._open()
        os.close(self._fd)
        self._fd = fresh

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def start_logging(home: Home, level: int = logging.INFO, **bound: str) -> logging.Handler:
    """Send the process's log records to the home's log file; `bound` stands in each line (session="…").

    Returns the handler; `stop_logging` takes it away again. Raises HomeUnwritableError and its siblings.
    """
    handler = SharedFileHandler(home.folder(home.log_dir) / "moor.log")
    handler.addFilter(RedactingFilter())
    handler.setFormatter(JsonFormatter(bound))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Undo `start_logging`."""
    logging.getLogger().removeHandler(handler)
    handler.close()
