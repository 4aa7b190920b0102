"""Chat dialect: tool calls without their tool messages, and tool messages without their calls, are taken out."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_ORPHAN_TOOL_RESULTS
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import FILLER
from moor.wire.splice import Buffer, array, elements, encode, value


class _Call(msgspec.Struct, gc=False):
    id: str = ""


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    tool_call_id: str = ""
    tool_calls: list[_Call] | None = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])


def apply(draft: Draft) -> bool:
    """Repair `messages`: the answers to an assistant's calls stand directly behind it."""
    raw = draft.view("messages")
    if raw is None:
        return False
    try:
        messages = _MESSAGES.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    lone_tools, lone_calls = _orphans(messages)
    if not lone_tools and not lone_calls:
        return False
    items = elements(raw) or []
    repaired = [
        _without_calls(item, lone_calls[place]) if place in lone_calls else item
        for place, item in enumerate(items)
        if place not in lone_tools
    ]
    draft.set("messages", array(repaired))
    return True


def _orphans(messages: list[_Message]) -> tuple[set[int], dict[int, set[str]]]:
    """Places of tool messages that answer nothing, and for each assistant's place the ids that are not answered."""
    lone_tools: set[int] = set()
    lone_calls: dict[int, set[str]] = {}
    asked_at, waiting = -1, set[str]()
    for place, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id in waiting:
                waiting.discard(message.tool_call_id)
            else:
                lone_tools.add(place)
            continue
        if waiting:
            lone_calls[asked_at] = waiting
        asked_at, waiting = place, {call.id for call in message.tool_calls or []}
    if waiting:
        lone_calls[asked_at] = waiting
    return lone_tools, lone_calls


def _without_calls(raw: Buffer, gone: set[str]) -> bytes:
    message: Any = value(raw)
    kept = [call for call in message["tool_calls"] if call.get("id") not in gone]
    if kept:
        return encode({**message, "tool_calls": kept})
    rest = {key: item for key, item in message.items() if key != "tool_calls"}
    return encode({**rest, "content": rest.get("content") or FILLER})


FILTER: Final = Filter(
    name="orphan-tool-messages",
    priority=10,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_ORPHAN_TOOL_RESULTS,
    why="after a broken turn or a compaction a call stands without its result; refused at every further turn",
    since="0.1.0",
    fields=("messages[].tool_calls", "messages[tool]"),
    where="messages",
    apply=apply,
)
