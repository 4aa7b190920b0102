"""Messages dialect: tool calls without their results, results without their calls, and second ones are taken out."""

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
    if turns is None or (not turns.doubles and turns.are_paired()):
        return False
    calls = [set(ids) for ids in turns.calls]
    results = [set(ids) for ids in turns.results]
    orphans: list[set[tuple[str, str]]] = [set() for _ in calls]
    for _ in range(_PASSES):
        if not _mark(calls, results, orphans):
            break
    places = {place for place, gone in enumerate(orphans) if gone}.union(turns.doubles)
    if not places:
        return False
    items = elements(draft.view("messages") or b"") or []
    for place in places:
        items[place] = _without(items[place], orphans[place])
    draft.set("messages", array(items))
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
    """The message without those blocks, and of several of one kind and id with the first only."""
    message: Any = value(raw)
    met = set(gone)
    kept: list[Any] = []
    for block in message["content"]:
        name = _name(block)
        if name not in met:
            kept.append(block)
        if name is not None:
            met.add(name)
    return encode({**message, "content": kept or [{"type": "text", "text": FILLER}]})


def _name(block: Any) -> tuple[str, str] | None:
    """Kind and id of a call or a result; None of anything else."""
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    key = _ID_KEYS.get(kind)
    return None if key is None else (kind, str(block.get(key)))


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
