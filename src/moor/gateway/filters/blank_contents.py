"""Blank contents of chat messages: left out beside tool calls, a full stop elsewhere."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_BLANK_TEXT
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import FILLER, is_blank, triggers
from moor.wire.splice import encode, map_elements, value

_TRIGGER: Final = (
    *triggers(b"text", b"content"),
    b'"content":[]',
    b'"content": []',
    b'"content":null',
    b'"content": null',
)


def apply(draft: Draft) -> bool:
    """Repair `messages`, one by one."""
    messages = draft.get("messages")
    repaired = map_elements(messages, _message) if messages is not None else None
    if repaired is None:
        return False
    draft.set("messages", repaired)
    return True


def _message(raw: bytes) -> bytes | None:
    if not any(word in raw for word in _TRIGGER):
        return raw
    message = value(raw)
    if not isinstance(message, dict):
        return raw
    content = message.get("content")
    if isinstance(content, list):
        kept = [part for part in content if not _is_blank_part(part)]
        if len(kept) == len(content) and kept:
            return raw
        return encode({**message, "content": kept} if kept else _emptied(message))
    if is_blank(content):
        return encode(_emptied(message))
    if content is None and not message.get("tool_calls"):
        return encode({**message, "content": FILLER})
    return raw


def _is_blank_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and is_blank(part.get("text"))


def _emptied(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": None if message.get("tool_calls") else FILLER}


FILTER: Final = Filter(
    name="blank-contents",
    priority=20,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_BLANK_TEXT,
    why='agents send "" as content beside tool calls, and after a killed turn; Claude models refuse it',
    since="0.1.0",
    fields=("messages[].content",),
    trigger=_TRIGGER,
    apply=apply,
)
