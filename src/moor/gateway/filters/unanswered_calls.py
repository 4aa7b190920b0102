"""A function call that the next turn does not answer gets an answer that says so (Gemini dialect).

Seen on Gemini CLI 0.61: its look for loops and the last chance of a sub-agent cut the history behind a call and go on
in words. Calls that are answered in part are left: whose answer is missing cannot be told.
"""

from __future__ import annotations

from typing import Final

import msgspec

from moor.domain.dialects import GEMINI_GENERATE
from moor.domain.quirks import NEEDS_THOUGHT_SIGNATURES
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import Buffer, array, elements, encode, members, obj

_MODEL: Final = "model"
_NONE: Final = msgspec.Raw()
_SAID: Final = {"error": "The call was not answered."}


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    name: str = ""


class _Part(msgspec.Struct, gc=False, rename="camel"):
    function_call: _Call | None = None
    function_response: msgspec.Raw = _NONE


class _Content(msgspec.Struct, gc=False):
    parts: list[_Part] = []
    role: str = ""


_CONTENTS: Final = msgspec.json.Decoder(list[_Content])


def apply(draft: Draft) -> bool:
    """Repair `contents`."""
    raw = draft.view("contents")
    if raw is None:
        return False
    try:
        answers = _missing(_CONTENTS.decode(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if not answers:
        return False
    items = elements(raw) or []
    for place, calls in answers.items():
        items[place] = _with(items[place], calls)
    draft.set("contents", array(items))
    return True


def _missing(contents: list[_Content]) -> dict[int, list[_Call]]:
    """Places of user turns without any answer to the calls of the turn before, and these calls."""
    found: dict[int, list[_Call]] = {}
    before: list[_Call] = []
    for place, content in enumerate(contents):
        answered = any(len(memoryview(part.function_response)) for part in content.parts)
        if before and not answered and content.role != _MODEL:
            found[place] = before
        before = [part.function_call for part in content.parts if part.function_call is not None]
    return found


def _with(raw: Buffer, calls: list[_Call]) -> Buffer:
    content = members(bytes(raw))
    parts = elements(content["parts"]) if content is not None and "parts" in content else None
    if content is None or parts is None:
        return raw
    answers: list[Buffer] = [encode({"functionResponse": _answer(call)}) for call in calls]
    return obj({**content, "parts": array([*answers, *parts])})


def _answer(call: _Call) -> dict[str, object]:
    named: dict[str, object] = {"name": call.name, "response": _SAID}
    return named if call.id is None else {"id": call.id, **named}


FILTER: Final = Filter(
    name="unanswered-calls",
    priority=10,
    dialects=(GEMINI_GENERATE,),
    quirk=NEEDS_THOUGHT_SIGNATURES,
    why="400 unless there are as many function responses as calls; Gemini CLI goes on in words behind a call",
    since="0.1.0",
    fields=("contents[].parts[+functionResponse]",),
    where="contents",
    trigger=(b'"functionCall"',),
    apply=apply,
)
