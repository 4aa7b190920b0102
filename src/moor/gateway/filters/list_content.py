"""Answers whose content is a list of blocks: texts become one string, thoughts go where chat clients read them.

Databricks documents the form for reasoning models (facts/databricks 2.10); OpenCode ends such an answer with "Type
validation failed". A stream has one list per chunk, with a thought or a text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import ANSWERS_CONTENT_AS_LIST
from moor.gateway.filters.base import RESPONSE, Filter, leave
from moor.gateway.filters.chunks import Json, map_choices, map_chunks, said

_LIST: Final = re.compile(rb'"content"\s*:\s*\[')
_THOUGHT: Final = "reasoning_content"
_THOUGHTS: Final = ("reasoning", "thinking")


class ListContent:
    """Rewrites the chunks of a stream that hold a list."""

    def feed(self, block: bytes) -> bytes:
        """The block with plain contents; untouched where they are plain."""
        if _LIST.search(block) is None:
            return block
        return map_chunks(block, lambda chunk: [plain(chunk)])


def plain(document: Json) -> Json:
    """A chunk or a whole answer with plain contents; the same object where they are plain."""
    return map_choices(document, _choice)


def _choice(choice: Json) -> Json:
    key, message = said(choice)
    blocks = message.get("content")
    if not isinstance(blocks, list):
        return choice
    text = "".join(_text(block) for block in blocks)
    thought = (message.get(_THOUGHT) or "") + "".join(_thought(block) for block in blocks)
    after = {name: item for name, item in message.items() if name != "content"}
    if thought:
        after[_THOUGHT] = thought
    if text:
        after["content"] = text
    elif key == "message":
        after["content"] = None if message.get("tool_calls") else ""
    return {**choice, key: after}


def _text(block: Any) -> str:
    """What a block says: `text`, or `refusal` of a refusal."""
    if isinstance(block, str):
        return block
    if not isinstance(block, dict) or block.get("type") in _THOUGHTS:
        return ""
    return _string(block.get("text")) or _string(block.get("refusal"))


def _thought(block: Any) -> str:
    if not isinstance(block, dict) or block.get("type") not in _THOUGHTS:
        return ""
    summary = block.get("summary")
    if isinstance(summary, list):
        return "".join(_string(part.get("text")) for part in summary if isinstance(part, dict))
    return _string(summary) or _string(block.get("thinking")) or _string(block.get("text"))


def _string(found: Any) -> str:
    return found if isinstance(found, str) else ""


FILTER: Final = Filter(
    name="list-content",
    phases=(RESPONSE,),
    priority=50,
    dialects=(OPENAI_CHAT,),
    quirk=ANSWERS_CONTENT_AS_LIST,
    why='reasoning models answer `content` as a list of blocks; OpenCode: "Type validation failed"',
    since="0.1.0",
    fields=("choices[].message.content", "choices[].message.reasoning_content"),
    apply=leave,
    stage=ListContent,
    whole=plain,
)
