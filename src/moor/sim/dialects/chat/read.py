"""A chat request, read into the common form."""

from __future__ import annotations

import msgspec

from moor.sim.catalogue.models import CLAUDE, ModelCard
from moor.sim.dialects.anthropic.read import text_of
from moor.sim.messages import Json
from moor.sim.script.conversation import MODEL, USER, Called, Conversation, Item, Returned, Said, Tool


def read(body: Json) -> Conversation:
    """The conversation of a checked request."""
    system: list[str] = []
    items: list[Item] = []
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            system.append(text_of(message.get("content")))
        else:
            items += _items(message)
    tools = body.get("tools") or []
    kind = (body.get("response_format") or {}).get("type", "text")
    return Conversation(
        system="\n".join(system),
        items=tuple(items),
        tools=tuple(_tool(tool["function"]) for tool in tools),
        tools_size=len(msgspec.json.encode(tools)) if tools else 0,
        wants_json=kind != "text",
    )


def thinks(body: Json, card: ModelCard) -> bool:
    """A Claude thinks when told to; the others that can always do."""
    if card.family == CLAUDE:
        return (body.get("thinking") or {}).get("type") == "enabled"
    return card.reasoning


def _tool(function: Json) -> Tool:
    return Tool(
        name=function["name"], schema=function.get("parameters", {}), description=function.get("description", "")
    )


def _items(message: Json) -> list[Item]:
    text = text_of(message.get("content"))
    if message["role"] == "tool":
        return [Returned(id=message["tool_call_id"], text=text)]
    if message["role"] == "user":
        return [Said(role=USER, text=text)]
    said: list[Item] = [Said(role=MODEL, text=text)] if text else []
    calls = message.get("tool_calls") or []
    return said + [
        Called(id=call["id"], name=call["function"]["name"], size=len(call["function"]["arguments"]))
        for call in calls
    ]
