"""Several tool calls in one chat message become pairs of one call and its result, for models that take one at a time.

Source: facts/databricks 2.7 row 11 (recorded for gpt-oss-120b). Runs after the rule on calls without results, so each
call has its result behind it. Each message is split alone: a conversation's beginning keeps its bytes as it grows.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_PARALLEL_TOOL_CALLS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import Buffer, array, elements, encode, value


class _Call(msgspec.Struct, gc=False):
    id: str = ""


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    tool_call_id: str = ""
    tool_calls: list[_Call] | None = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])


def apply(draft: Draft) -> bool:
    """Repair `messages`."""
    raw = draft.view("messages")
    if raw is None:
        return False
    try:
        messages = _MESSAGES.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if all(len(message.tool_calls or ()) < 2 for message in messages):
        return False
    draft.set("messages", array(_split(messages, elements(raw) or [])))
    return True


def _split(messages: list[_Message], items: list[Buffer]) -> list[Buffer]:
    out: list[Buffer] = []
    place = 0
    while place < len(messages):
        calls = messages[place].tool_calls or []
        after = place + 1
        if len(calls) < 2:
            out.append(items[place])
        else:
            while after < len(messages) and messages[after].role == "tool":
                after += 1
            results = [(messages[at].tool_call_id, items[at]) for at in range(place + 1, after)]
            out += _pairs(items[place], [call.id for call in calls], results)
        place = after
    return out


def _pairs(raw: Buffer, ids: list[str], results: list[tuple[str, Buffer]]) -> list[Buffer]:
    """One message per call, the first with what was said; behind each the results of that call."""
    message: dict[str, Any] = value(raw)
    out: list[Buffer] = []
    for number, (call_id, call) in enumerate(zip(ids, message["tool_calls"], strict=True)):
        said = message if number == 0 else {"role": message.get("role"), "content": None}
        out.append(encode({**said, "tool_calls": [call]}))
        out += [item for answered, item in results if answered == call_id]
    return out


FILTER: Final = Filter(
    name="parallel-tool-calls",
    priority=15,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_PARALLEL_TOOL_CALLS,
    families=("gpt-oss",),
    why="the model may call several tools at once, but refuses to read that: Multiple tool calls are not supported.",
    since="0.1.0",
    fields=("messages[].tool_calls[1:]",),
    where="messages",
    trigger=(b'"tool_calls"',),
    apply=apply,
)
