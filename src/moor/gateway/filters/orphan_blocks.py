"""Messages dialect: tool calls without their results, and results without their calls, are taken out."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_ORPHAN_TOOL_RESULTS
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import FILLER
from moor.gateway.filters.turns import read_turns
from moor.wire.splice import Buffer, array, elements, encode, value

_PASSES: Final = 5
_ID_KEYS: Final = {"tool_use": "id", "tool_result": "tool_use_id"}


def apply(draft: Draft) -> bool:
    """Repair `messages` until calls and results pair up; only ids are read, unless there is something to repair."""
    turns = read_turns(draft)
    if turns is None or turns.are_paired():
        return False
    calls = [set(ids) for ids in turns.calls]
    results = [set(ids) for ids in turns.results]
    orphans: list[set[tuple[str, str]]] = [set() for _ in calls]
    for _ in range(_PASSES):
        if not _mark(calls, results, orphans):
            break
    if not any(orphans):
        return False
    items = elements(draft.view("messages") or b"") or []
    repaired = [_without(item, gone) if gone else item for item, gone in zip(items, orphans, strict=True)]
    draft.set("messages", array(repaired))
    return True


def _mark(calls: list[set[str]], results: list[set[str]], orphans: list[set[tuple[str, str]]]) -> bool:
    """Take unpaired ids out of `calls` and `results` and note them with their kind; True when there were some."""
    found = False
    for place in range(len(calls)):
        after = results[place + 1] if place + 1 < len(calls) else set()
        before = calls[place - 1] if place else set()
        for kind, ids, pair in (("tool_use", calls[place], after), ("tool_result", results[place], before)):
            alone = ids - pair
            if alone:
                found = True
                ids -= alone
                orphans[place] |= {(kind, name) for name in alone}
    return found


def _without(raw: Buffer, gone: set[tuple[str, str]]) -> bytes:
    message: Any = value(raw)
    kept = [block for block in message["content"] if not _is_gone(block, gone)]
    return encode({**message, "content": kept or [{"type": "text", "text": FILLER}]})


def _is_gone(block: Any, gone: set[tuple[str, str]]) -> bool:
    if not isinstance(block, dict):
        return False
    kind = str(block.get("type"))
    key = _ID_KEYS.get(kind)
    return key is not None and (kind, block.get(key)) in gone


FILTER: Final = Filter(
    name="orphan-tool-blocks",
    priority=10,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_ORPHAN_TOOL_RESULTS,
    why="after a broken turn or a compaction a call stands without its result; refused at every further turn",
    since="0.1.0",
    fields=("messages[].content[tool_use]", "messages[].content[tool_result]"),
    where="messages",
    trigger=(b'"tool_',),
    apply=apply,
)
