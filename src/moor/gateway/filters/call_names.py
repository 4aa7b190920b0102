"""Tool calls named `databricks-tool-call` get their real name, which stands inside their arguments.

Source: facts/databricks 2.7 row 5. Two forms are told: {"name", "arguments": {…}} and {"name", …arguments}; a stream
sends either in pieces. Which one it is shows at the end only, so such a call is held until then; others pass.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import RENAMES_TOOL_CALLS
from moor.gateway.filters.base import RESPONSE, Filter, leave
from moor.gateway.filters.chunks import Json, calls_in, map_choices, map_chunks, said
from moor.wire.splice import members, obj, value
from moor.wire.words import holds

WRAPPER: Final = "databricks-tool-call"
_WRAPPER: Final = WRAPPER.encode()
_INNER: Final = "arguments"
_MAX_HELD: Final = 8 * 1024 * 1024
"""characters of arguments; beyond, they are let through as they came"""


class _Held(msgspec.Struct, eq=False):
    """A call that is not complete."""

    chunk: Json
    """the chunk it began in, without choices"""
    choice: int
    piece: Json
    arguments: list[str]


class CallNames:
    """Holds the pieces of wrapped calls and sends each whole call before the end of its choice."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, Any], _Held] = {}
        self._size = 0

    def feed(self, block: bytes) -> bytes:
        """The block without pieces of wrapped calls, with those that are complete."""
        if not self._held and not holds(block, _WRAPPER):
            return block
        return map_chunks(block, self._change)

    def _change(self, chunk: Json) -> list[Json]:
        rest = map_choices(chunk, partial(self._take, chunk))
        before = self._release() if _ends(chunk) or self._size > _MAX_HELD else []
        return before if rest is not chunk and _is_empty(rest) else [*before, rest]

    def _take(self, chunk: Json, choice: Json) -> Json:
        key, delta = said(choice)
        calls = calls_in(delta)
        kept = [call for call in calls if not self._hold(chunk, choice, call)]
        if len(kept) == len(calls):
            return choice
        rest = {name: item for name, item in delta.items() if name != "tool_calls"}
        return {**choice, key: {**rest, "tool_calls": kept} if kept else rest}

    def _hold(self, chunk: Json, choice: Json, piece: Json) -> bool:
        """Whether a piece belongs to a wrapped call; it is kept then."""
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        number = choice.get("index")
        place = (number if isinstance(number, int) else 0, str(piece.get("index")))
        held = self._held.get(place)
        if function.get("name") not in ((WRAPPER,) if held is None else (WRAPPER, None, "")):
            return False
        if held is None:
            envelope = {name: item for name, item in chunk.items() if name not in ("choices", "usage")}
            held = self._held[place] = _Held(envelope, place[0], piece, [])
        arguments = function.get(_INNER)
        if isinstance(arguments, str):
            held.arguments.append(arguments)
            self._size += len(arguments)
        return True

    def _release(self) -> list[Json]:
        """A chunk for each held call."""
        out = [_chunk_of(held) for held in self._held.values()]
        self._held = {}
        self._size = 0
        return out


def _chunk_of(held: _Held) -> Json:
    name, arguments = unwrap("".join(held.arguments))
    call = {**held.piece, "function": {"name": name, _INNER: arguments}}
    choice = {"index": held.choice, "delta": {"tool_calls": [call]}, "finish_reason": None}
    return {**held.chunk, "choices": [choice]}


def _ends(chunk: Json) -> bool:
    """Whether nothing more of any call comes: [DONE], an end, or an error."""
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        return True
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)


def _is_empty(chunk: Json) -> bool:
    """Whether a chunk says nothing any more."""
    if chunk.get("usage"):
        return False
    return all(
        isinstance(choice, dict) and not choice.get("finish_reason") and not said(choice)[1]
        for choice in chunk["choices"]
    )


def unwrap(text: str) -> tuple[str, str]:
    """Name and arguments of a wrapped call; the wrapper's own where they cannot be read."""
    try:
        found = members(text.encode())
    except UnicodeEncodeError:
        found = None
    name = value(found["name"]) if found and "name" in found else None
    if found is None or not isinstance(name, str) or not name:
        return WRAPPER, text
    rest = {key: raw for key, raw in found.items() if key != "name"}
    inner = rest.get(_INNER)
    if inner is not None and len(rest) == 1:
        if inner.startswith(b"{"):
            return name, inner.decode()
        quoted = value(inner)
        if isinstance(quoted, str) and isinstance(value(quoted.encode("utf-8", "replace")), dict):
            return name, quoted
    return name, obj(rest).decode()


def unwrapped(document: Json) -> Json:
    """A whole answer with the real names; the same object where they are."""
    return map_choices(document, _choice)


def _choice(choice: Json) -> Json:
    key, message = said(choice)
    calls = calls_in(message)
    if not any(_is_wrapped(call) for call in calls):
        return choice
    return {**choice, key: {**message, "tool_calls": [_call(call) for call in calls]}}


def _is_wrapped(call: Json) -> bool:
    function = call.get("function")
    return isinstance(function, dict) and function.get("name") == WRAPPER and isinstance(function.get(_INNER), str)


def _call(call: Json) -> Json:
    if not _is_wrapped(call):
        return call
    name, arguments = unwrap(call["function"][_INNER])
    return {**call, "function": {**call["function"], "name": name, _INNER: arguments}}


FILTER: Final = Filter(
    name="tool-call-names",
    phases=(RESPONSE,),
    priority=51,
    dialects=(OPENAI_CHAT,),
    quirk=RENAMES_TOOL_CALLS,
    why="a call comes back as `databricks-tool-call` with the real name in its arguments; no agent has such a tool",
    since="0.1.0",
    fields=("choices[].message.tool_calls",),
    apply=leave,
    stage=CallNames,
    whole=unwrapped,
)
