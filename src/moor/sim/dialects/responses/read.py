"""A Responses request, read into the common form."""

from __future__ import annotations

import msgspec

from moor.sim.catalogue.models import ModelCard
from moor.sim.dialects.anthropic.read import text_of
from moor.sim.messages import Json
from moor.sim.script.conversation import MODEL, USER, Called, Conversation, Item, Returned, Said, Tool


def read(body: Json) -> Conversation:
    """The conversation of a checked request."""
    given = body["input"]
    system = [body.get("instructions") or ""]
    items: list[Item] = []
    for entry in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        role = entry.get("role")
        if role in ("system", "developer"):
            system.append(text_of(entry["content"]))
        else:
            items += _items(entry)
    tools = body.get("tools") or []
    kind = ((body.get("text") or {}).get("format") or {}).get("type", "text")
    return Conversation(
        system="\n".join(filter(None, system)),
        items=tuple(items),
        tools=tuple(_tool(tool) for tool in tools if tool["type"] in ("function", "custom")),
        tools_size=len(msgspec.json.encode(tools)) if tools else 0,
        wants_json=kind != "text",
    )


def thinks(_body: Json, card: ModelCard) -> bool:
    """Reasoning models always do."""
    return card.reasoning


def _tool(tool: Json) -> Tool:
    return Tool(
        name=tool["name"],
        schema=tool.get("parameters") or {},
        description=tool.get("description") or "",
        free_text=tool["type"] == "custom",
    )


def _items(entry: Json) -> list[Item]:
    kind = entry.get("type", "message")
    if kind == "message":
        return [Said(role=MODEL if entry["role"] == "assistant" else USER, text=text_of(entry["content"]))]
    if kind in ("function_call", "custom_tool_call"):
        given = entry["arguments"] if kind == "function_call" else entry["input"]
        return [Called(id=entry["call_id"], name=entry["name"], size=len(str(given)))]
    if kind.endswith("_output"):
        return [Returned(id=entry["call_id"], text=text_of(entry["output"]))]
    return []
