"""A function response that stands twice behind its call is taken out once (Gemini dialect).

Source: facts/gemini-cli 0.9 and databricks 2.7 row 16; Gemini CLI writes every response twice into the history that
it resumes. Calls with their thought signatures, and all that is not repeated, keep their bytes and their order.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.dialects import GEMINI_GENERATE
from moor.domain.quirks import NEEDS_THOUGHT_SIGNATURES
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import Buffer, array, elements, members, obj

_NONE: Final = msgspec.Raw()


class _Part(msgspec.Struct, gc=False, rename="camel"):
    function_call: msgspec.Raw = _NONE
    function_response: msgspec.Raw = _NONE


class _Content(msgspec.Struct, gc=False):
    parts: list[_Part] = []


class _Response(msgspec.Struct, gc=False):
    id: str | None = None
    name: str = ""


_CONTENTS: Final = msgspec.json.Decoder(list[_Content])
_RESPONSE: Final = msgspec.json.Decoder(_Response)


def apply(draft: Draft) -> bool:
    """Repair `contents`."""
    raw = draft.view("contents")
    if raw is None:
        return False
    try:
        repeated = _repeated(_CONTENTS.decode(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if not repeated:
        return False
    items = elements(raw) or []
    for place, parts in repeated.items():
        items[place] = _without(items[place], parts)
    draft.set("contents", array(items))
    return True


def _repeated(contents: list[_Content]) -> dict[int, set[int]]:
    """Places of contents to places of parts that are too many: more responses than calls before them, and told
    twice."""
    found: dict[int, set[int]] = {}
    calls = 0
    for place, content in enumerate(contents):
        responses = [n for n, part in enumerate(content.parts) if len(memoryview(part.function_response))]
        if len(responses) > calls:
            again = _told_again(content.parts, responses)
            if again:
                found[place] = again
        calls = sum(1 for part in content.parts if len(memoryview(part.function_call)))
    return found


def _told_again(parts: list[_Part], places: list[int]) -> set[int]:
    seen: set[Any] = set()
    again: set[int] = set()
    for place in places:
        raw = parts[place].function_response
        said = _RESPONSE.decode(raw)
        mark = said.id or (said.name, bytes(raw))
        if mark in seen:
            again.add(place)
        seen.add(mark)
    return again


def _without(raw: Buffer, places: set[int]) -> Buffer:
    content = members(bytes(raw))
    parts = elements(content["parts"]) if content is not None else None
    if content is None or parts is None:
        return raw
    kept = [part for place, part in enumerate(parts) if place not in places]
    return obj({**content, "parts": array(kept)})


FILTER: Final = Filter(
    name="repeated-responses",
    priority=10,
    dialects=(GEMINI_GENERATE,),
    quirk=NEEDS_THOUGHT_SIGNATURES,
    why="400 unless there are as many function responses as calls; a resumed Gemini CLI sends each response twice",
    since="0.1.0",
    fields=("contents[].parts[functionResponse]",),
    where="contents",
    trigger=(b'"functionResponse"',),
    apply=apply,
)
