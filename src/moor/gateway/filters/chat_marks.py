"""Cache marks beside the content of a chat message move into it, where Databricks reads them.

OpenCode 1.18.33 marks messages of Claude models on every route (seen: `messages.0.cache_control: Extra inputs are not
permitted`). Databricks caches by a mark on a part of a content list (recorded: litellm#15801, #16200). On a call or
a tool message no form is recorded: those marks go.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_MARKS_ON_CHAT_MESSAGES
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, map_elements, value
from moor.wire.words import holds
from moor.workspace.classify import CLAUDE

_MARK: Final = "cache_control"
_TRIGGER: Final = b'"cache_control"'
_MARKABLE: Final = ("system", "developer", "user", "assistant")


def apply(draft: Draft) -> bool:
    """Repair `messages`, one by one."""
    raw = draft.get("messages")
    repaired = map_elements(raw, _message) if raw is not None else None
    if repaired is None:
        return False
    draft.set("messages", repaired)
    return True


def _message(raw: bytes) -> bytes:
    message = value(raw) if holds(raw, _TRIGGER) else None
    if not isinstance(message, dict):
        return raw
    after = _without_marks_on_calls(message)
    if _MARK in after:
        mark = after[_MARK]
        after = {key: item for key, item in after.items() if key != _MARK}
        if after.get("role") in _MARKABLE:
            after = _with_mark(after, mark)
    return raw if after is message else encode(after)


def _without_marks_on_calls(message: dict[str, Any]) -> dict[str, Any]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not any(isinstance(call, dict) and _MARK in call for call in calls):
        return message
    kept = [{k: v for k, v in call.items() if k != _MARK} if isinstance(call, dict) else call for call in calls]
    return {**message, "tool_calls": kept}


def _with_mark(message: dict[str, Any], mark: Any) -> dict[str, Any]:
    """The mark on the last text of the content; a message without one has none."""
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) and content.strip() else content
    if not isinstance(parts, list) or not parts:
        return message
    last = parts[-1]
    if not isinstance(last, dict) or last.get("type") != "text" or _MARK in last:
        return message
    return {**message, "content": [*parts[:-1], {**last, _MARK: mark}]}


FILTER: Final = Filter(
    name="chat-cache-marks",
    priority=25,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_MARKS_ON_CHAT_MESSAGES,
    families=(CLAUDE,),
    why="OpenCode marks whole messages of Claude models; refused there, and without effect where it is not",
    since="0.1.0",
    fields=("messages[].cache_control", "messages[].tool_calls[].cache_control"),
    where="messages",
    trigger=(_TRIGGER,),
    apply=apply,
)
