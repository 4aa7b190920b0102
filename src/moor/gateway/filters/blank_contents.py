"""Blank contents of chat messages: left out beside tool calls, a full stop elsewhere."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_BLANK_TEXT
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import FILLER, is_blank, is_blank_raw
from moor.wire.splice import array, elements, encode, value


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct, gc=False):
    content: msgspec.Raw = msgspec.Raw()


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])
_PARTS: Final = msgspec.json.Decoder(list[_Part])


def apply(draft: Draft) -> bool:
    """Repair `messages`, one by one."""
    raw = draft.view("messages")
    if raw is None:
        return False
    try:
        suspects = [place for place, message in enumerate(_MESSAGES.decode(raw)) if _suspect(message.content)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False  # of a shape we do not know: the upstream judges it
    if not suspects:
        return False
    items = elements(raw) or []
    changed = False
    for place in suspects:
        before = bytes(items[place])
        after = items[place] = _message(before)
        changed = changed or after is not before
    if changed:
        draft.set("messages", array(items))
    return changed


def _suspect(content: msgspec.Raw) -> bool:
    view = memoryview(content)
    if not len(view) or view[0] == 0x6E:
        return True  # absent or null: right beside tool calls only
    if view[0] != 0x5B:
        return is_blank_raw(content)
    parts = _PARTS.decode(view)
    return not parts or any(part.type == "text" and is_blank_raw(part.text) for part in parts)


def _message(raw: bytes) -> bytes:
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
    where="messages",
    apply=apply,
)
