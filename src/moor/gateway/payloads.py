"""Requests and answers on disk, where the user asked for it: bounded, rotating, owner-only, masked.

One file a call below `~/.moor/payloads`, written by a thread of its own; beyond the bound the oldest go. What cannot
be written is dropped: a log must not end a call.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from moor.errors.base import MoorError
from moor.gateway.guard import masked
from moor.secrets import redact

if TYPE_CHECKING:
    from moor.store.home import Home

_log = logging.getLogger(__name__)
MAX_PART: Final = 4 * 1024 * 1024
"""bytes kept of each of the three parts of a call"""
_QUEUE: Final = 64
_MIB: Final = 1024 * 1024


class Payload(msgspec.Struct, kw_only=True):
    """One call, as text: what is no UTF-8 is shown by escapes."""

    id: str
    dialect: str = ""
    asked: str = ""
    """the request as the agent sent it"""
    sent: str = ""
    """the request as it went upstream; empty where that is the same"""
    answered: str = ""
    """the answer as the upstream gave it"""
    cut: bool = False
    """a part was longer than what is kept"""


class Draft:
    """One call's payload while it runs."""

    def __init__(self, call_id: str, dialect: str, asked: bytes, sent: bytes) -> None:
        self.id = call_id
        self.dialect = dialect
        self.asked = asked[: MAX_PART + 1]
        self.sent = b"" if sent == asked else sent[: MAX_PART + 1]
        self.answered: list[bytes] = []
        self._size = 0

    def add(self, pieces: list[bytes]) -> None:
        """Keep a part of the answer."""
        for piece in pieces:
            if self._size <= MAX_PART:
                self.answered.append(piece)
                self._size += len(piece)

    def payload(self) -> Payload:
        """All of it, masked. Not for the loop."""
        answered = b"".join(self.answered)
        parts = (self.asked, self.sent, answered)
        texts = [masked(redact(part[:MAX_PART].decode("utf-8", "backslashreplace"))) for part in parts]
        return Payload(
            id=self.id,
            dialect=self.dialect,
            asked=texts[0],
            sent=texts[1],
            answered=texts[2],
            cut=any(len(part) > MAX_PART for part in parts),
        )


class PayloadLog:
    """Takes drafts from the loop. `max_mb`: of all files together."""

    def __init__(self, home: Home, max_mb: int) -> None:
        self._home = home
        self._max = max_mb * _MIB
        self._queue: queue.Queue[Draft | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._work, name="moor-payloads", daemon=True)
        self._thread.start()

    def put(self, draft: Draft) -> None:
        """Take a finished call; dropped where the disk is too slow."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(draft)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits; bounded."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (draft := self._queue.get()) is not None:
            try:
                self._write(draft.payload())
            except (MoorError, OSError, ValueError):
                _log.exception("a payload could not be written")

    def _write(self, payload: Payload) -> None:
        from moor.store.files import write_private

        folder = self._home.folder(folder_of(self._home))
        write_private(folder / f"{payload.id}.json", msgspec.json.encode(payload))
        self._rotate(folder)

    def _rotate(self, folder: Path) -> None:
        """Names sort by time; the newest stays whatever its size."""
        files = sorted(folder.glob("call_*.json"), reverse=True)
        total = 0
        for place, path in enumerate(files):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
                if total > self._max and place:
                    path.unlink()


def folder_of(home: Home) -> Path:
    """Where payloads are kept."""
    return home.root / "payloads"


def read_payload(home: Home, call_id: str) -> Payload | None:
    """What was kept of a call; None where nothing was. BLOCKS."""
    try:
        data = (folder_of(home) / f"{call_id}.json").read_bytes()
    except OSError:
        return None
    return msgspec.json.decode(data, type=Payload)
