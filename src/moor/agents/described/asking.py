"""The socket at which a described agent's own hook or plugin asks before it acts.

One line of JSON a question, `{"tool", "access", "paths", "command", "cwd", "title"}`; the answer is one line,
`{"allow": true}` or `{"allow": false, "note": "…"}`. Who does not get an answer must take it as a denial.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from typing import Any, Final

import msgspec

from moor.agents.base import ACCESS, OTHER
from moor.domain.event import PERMISSION, TOOL_CALL, Event

VARIABLE: Final = "MOOR_ASK"
_MAX_LINE_BYTES: Final = 1 << 20
_TITLE_MAX: Final = 200


class Question(msgspec.Struct, frozen=True):
    """What is asked. What is left out is not known, and is answered as such."""

    tool: str = ""
    access: str = OTHER
    paths: tuple[str, ...] = ()
    command: str = ""
    cwd: str = ""
    title: str = ""


class Asking:
    """The listening socket, in a private folder of its own (a Unix path ends at 107 bytes). `close` ends it."""

    def __init__(self, events: asyncio.Queue[Event]) -> None:
        self._events = events
        self._open: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._folder = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """The socket's path."""
        self._folder = tempfile.mkdtemp(prefix="moor-")
        path = f"{self._folder}/ask"
        self._server = await asyncio.start_unix_server(self._serve, path, limit=_MAX_LINE_BYTES)
        return path

    def answer(self, event_id: str, allow: bool, note: str) -> None:
        """Answer a question; one that is gone is no error."""
        waiting = self._open.pop(event_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result({"allow": allow, "note": note})

    def close(self) -> None:
        """Deny what is open, stop listening; idempotent."""
        for event_id in list(self._open):
            self.answer(event_id, False, "the session has ended")
        if self._server is not None:
            self._server.close()
            self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._ask(line)) + b"\n")
                await writer.drain()
        writer.close()

    async def _ask(self, line: bytes) -> dict[str, Any]:
        try:
            question = msgspec.json.decode(line, type=Question)
        except msgspec.DecodeError:
            return {"allow": False, "note": "the question could not be read"}
        self._asked += 1
        event_id = f"ask-{self._asked}"
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open[event_id] = waiting
        for event in _events(event_id, question):
            self._events.put_nowait(event)
        return await waiting


def _events(event_id: str, question: Question) -> tuple[Event, Event]:
    """The tool call, which counts, and the permission it needs."""
    access = question.access if question.access in ACCESS else OTHER
    title = (question.title or question.command or " ".join(question.paths))[:_TITLE_MAX]
    data: dict[str, Any] = {"access": access, "command": question.command, "patterns": [title]}
    if question.cwd:
        data["cwd"] = question.cwd
    call = Event(
        kind=TOOL_CALL,
        id=f"call-{event_id}",
        name=question.tool or access,
        title=title,
        status="pending",
        paths=question.paths,
    )
    return call, msgspec.structs.replace(call, kind=PERMISSION, id=event_id, status="", data=data)
