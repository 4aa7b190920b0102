"""`reasoning_content` is taken out of chat messages for models that answer thoughts as blocks.

The repair of those answers puts thoughts there, and OpenCode 1.18.33 sends them back with its next call. Databricks
refuses fields of a message that it does not know (recorded for another one: litellm#36931). The signed block that it
would take cannot be made again. Models that answer `reasoning_content` themselves get theirs back.
"""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_THOUGHTS_SENT_BACK
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import map_elements, members, obj
from moor.wire.words import holds
from moor.workspace.classify import CLAUDE

_KEY: Final = "reasoning_content"
_TRIGGER: Final = b'"reasoning_content"'


def apply(draft: Draft) -> bool:
    """Repair `messages`, one by one."""
    raw = draft.get("messages")
    repaired = map_elements(raw, _message) if raw is not None else None
    if repaired is None:
        return False
    draft.set("messages", repaired)
    return True


def _message(raw: bytes) -> bytes:
    message = members(raw) if holds(raw, _TRIGGER) else None
    if message is None or _KEY not in message:
        return raw
    return obj({key: item for key, item in message.items() if key != _KEY})


FILTER: Final = Filter(
    name="thoughts-sent-back",
    priority=26,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_THOUGHTS_SENT_BACK,
    families=(CLAUDE, "gpt-oss"),
    why="agents send back the thoughts that list-content gave them, and an unknown field of a message is a 400",
    since="0.1.0",
    fields=("messages[].reasoning_content",),
    where="messages",
    trigger=(_TRIGGER,),
    apply=apply,
)
