"""How much of a request is pictures: their bytes are many, their tokens few.

Only those count that stand where a dialect has its pictures: the same bytes inside a text, a tool's arguments or its
schema are read by the model as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.meter.base import BYTES_PER_TOKEN
from moor.wire.splice import value

PICTURE_TOKENS: Final = 6_000
"""no model counts more for one picture: up to 1,600 for Claude models, 4,800 for those that see finer, 1,500 for GPT,
2,200 for Gemini models"""
_MOST: Final = PICTURE_TOKENS * BYTES_PER_TOKEN
_CONVERSATION: Final = {
    ANTHROPIC_MESSAGES: "messages",
    OPENAI_CHAT: "messages",
    OPENAI_RESPONSES: "input",
    GEMINI_GENERATE: "contents",
}


def weight(dialect: str, body: bytes) -> int:
    """Bytes that the input's tokens are estimated by: those of the body, less what its pictures have too many of."""
    found = value(body)
    turns = found.get(_CONVERSATION.get(dialect, "")) if isinstance(found, dict) else None
    less = 0
    for turn in _dicts(turns):
        for block in _blocks(turn):
            data = _picture(block)
            less += max(0, len(data) - _MOST)
    return max(0, len(body) - less)


def _blocks(turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parts of a turn, and of the results of tools in it."""
    for key in ("content", "parts", "output"):
        for block in _dicts(turn.get(key)):
            yield block
            if block.get("type") == "tool_result":
                yield from _dicts(block.get("content"))
            result = block.get("functionResponse")
            if isinstance(result, dict):
                yield from _dicts(result.get("parts"))


def _picture(block: dict[str, Any]) -> str:
    """The encoded bytes of a picture; empty where it is none."""
    kind = block.get("type")
    if kind == "image":
        source = block.get("source")
        return _text(source, "data") if _text(source, "type") == "base64" else ""
    if kind in ("image_url", "input_image"):
        named = block.get("image_url")
        url = named if isinstance(named, str) else _text(named, "url")
        return url if url.startswith("data:image/") else ""
    for key, of_kind in (("inlineData", "mimeType"), ("inline_data", "mime_type")):
        inline = block.get(key)
        if _text(inline, of_kind).startswith("image/"):
            return _text(inline, "data")
    return ""


def _dicts(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _text(holder: Any, key: str) -> str:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""
