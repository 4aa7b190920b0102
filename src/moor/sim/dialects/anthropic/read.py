"""A Messages request, read into the common form."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.sim.catalogue.models import ModelCard
from moor.sim.messages import Json
from moor.sim.script.conversation import MODEL, SYSTEM, USER, Called, Conversation, Item, Returned, Said, Tool

_ROLES = {"assistant": MODEL, "system": SYSTEM}


def read(body: Json) -> Conversation:
    """The conversation of a checked request."""
    items: list[Item] = []
    for message in body["messages"]:
        items += _items(message)
    tools = body.get("tools") or []
    return Conversation(
        system=text_of(body.get("system", "")),
        items=tuple(items),
        tools=tuple(
            Tool(name=t["name"], schema=t.get("input_schema", {}), description=t.get("description", ""))
            for t in tools
        ),
        tools_size=len(msgspec.json.encode(tools)) if tools else 0,
        wants_json="format" in (body.get("output_config") or {}),
    )


def thinks(body: Json, card: ModelCard) -> bool:
    """Thought is written when it is enabled, or adaptive."""
    return card.reasoning and (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def _items(message: Json) -> list[Item]:
    role = _ROLES.get(message["role"], USER)
    content = message["content"]
    if isinstance(content, str):
        return [Said(role=role, text=content)]
    found = [_READERS[block["type"]](block) for block in content if block["type"] in _READERS]
    results = any(block["type"] == "tool_result" for block in content)
    words = [block["text"] for block in content if block["type"] == "text"]
    if words:
        said = Said(role=role, text="\n".join(words), aside=results)
        found.insert(0 if role == MODEL else len(found), said)
    return found


def _called(block: Json) -> Item:
    return Called(id=block["id"], name=block["name"], size=len(msgspec.json.encode(block["input"])))


def _returned(block: Json) -> Item:
    return Returned(id=block["tool_use_id"], text=text_of(block.get("content", "")))


_READERS: Final = {"tool_use": _called, "tool_result": _returned}


def text_of(content: Any) -> str:
    """All text of a string or of a list of blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(block.get("text", "") for block in content if isinstance(block, dict))
