"""Chat answers, changed choice by choice: the events of a stream, or the one document.

Shared by the rules of the way back. A stage is given blocks of whole events; one event that is too large to be held
comes in pieces and is passed on as it is. What is not touched keeps its bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from moor.wire.splice import encode, value
from moor.wire.sse import SseDecoder
from moor.wire.words import holds

if TYPE_CHECKING:
    from collections.abc import Callable

Json: TypeAlias = dict[str, Any]

_BOUNDARY: Final = re.compile(rb"((?>\r\n|\n|\r){2,})")
_BLANK: Final = b"\n\n"
_DONE: Final = b"[DONE]"


def map_chunks(block: bytes, change: Callable[[Json], list[Json]]) -> bytes:
    """The block with each chunk replaced by what `change` makes of it; the very same object where nothing changed.

    `change` gets {} for the closing [DONE]. A chunk that it returns as the very same object keeps its bytes.
    """
    pieces = _BOUNDARY.split(block)
    out: list[bytes] = []
    touched = False
    for raw, end in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        chunk: Json | None = _read(raw) if end else None
        after = [chunk] if chunk is None else change(chunk)
        if len(after) == 1 and after[0] is chunk:
            out += (raw, end)
            continue
        touched = True
        for item in after:
            out += (raw if item is chunk else b"data: " + encode(item), end)
    return b"".join(out) if touched else block


def _read(raw: bytes) -> Json | None:
    """The chunk in one event; None where it is something else."""
    if raw.startswith(b"data:") and not holds(raw, b"\n") and not holds(raw, b"\r"):
        data = raw[5:].strip()
    else:
        events = SseDecoder().feed(raw + _BLANK)
        data = events[0].data.strip() if len(events) == 1 else b""
    if data == _DONE:
        return {}
    found = value(data) if data.startswith(b"{") else None
    return found if isinstance(found, dict) else None


def map_choices(document: Json, change: Callable[[Json], Json]) -> Json:
    """The document with each choice passed through `change`; the very same object where none changed."""
    choices = document.get("choices")
    if not isinstance(choices, list):
        return document
    after = [change(choice) if isinstance(choice, dict) else choice for choice in choices]
    if all(new is old for new, old in zip(after, choices, strict=True)):
        return document
    return {**document, "choices": after}


def said(choice: Json) -> tuple[str, Json]:
    """Where a choice keeps what is said (`delta` in a stream, `message` in a document), and that."""
    key = "delta" if isinstance(choice.get("delta"), dict) else "message"
    found = choice.get(key)
    return key, found if isinstance(found, dict) else {}


def calls_in(message: Json) -> list[Json]:
    """The tool calls, or pieces of some, in a delta or message."""
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
