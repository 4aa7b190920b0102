"""A generateContent request, read into the common form."""

from __future__ import annotations

from typing import Any

import msgspec

from moor.sim.catalogue.models import ModelCard
from moor.sim.messages import Json
from moor.sim.script.conversation import MODEL, USER, Called, Conversation, Item, Returned, Said, Tool


def read(body: Json) -> Conversation:
    """The conversation of a checked request."""
    items: list[Item] = []
    for content in body["contents"]:
        items += _items(content)
    system = body.get("systemInstruction") or body.get("system_instruction") or {}
    tools = body.get("tools") or []
    declared = [
        f for tool in tools for f in tool.get("functionDeclarations") or tool.get("function_declarations") or []
    ]
    config = body.get("generationConfig") or {}
    return Conversation(
        system=_text(system.get("parts") if isinstance(system, dict) else system),
        items=tuple(items),
        tools=tuple(_tool(function) for function in declared),
        tools_size=len(msgspec.json.encode(tools)) if tools else 0,
        wants_json=config.get("responseMimeType") == "application/json",
    )


def thinks(_body: Json, card: ModelCard) -> bool:
    """Gemini thinks whether it shows it or not."""
    return card.reasoning


def _tool(function: Json) -> Tool:
    schema = function.get("parametersJsonSchema") or function.get("parameters") or {}
    return Tool(name=function["name"], schema=schema, description=function.get("description", ""))


def _items(content: Json) -> list[Item]:
    role = MODEL if content.get("role") == "model" else USER
    found: list[Item] = []
    answers = any("functionResponse" in part for part in content["parts"])
    text = _text(content["parts"])
    if text:
        found.append(Said(role=role, text=text, aside=answers))
    for part in content["parts"]:
        if "functionCall" in part:
            call = part["functionCall"]
            size = len(msgspec.json.encode(call.get("args", {})))
            found.append(Called(id=str(call.get("id", "")), name=call.get("name", ""), size=size))
        elif "functionResponse" in part:
            answer = part["functionResponse"]
            found.append(Returned(id=str(answer.get("id", "")), text=_response_text(answer.get("response"))))
    return found


def _response_text(response: Any) -> str:
    if isinstance(response, dict):
        for key in ("output", "result", "content", "error"):
            if isinstance(response.get(key), str):
                return str(response[key])
    return msgspec.json.encode(response).decode()


def _text(parts: Any) -> str:
    if isinstance(parts, str):
        return parts
    if isinstance(parts, dict):
        parts = [parts]
    return "\n".join(part["text"] for part in parts or [] if part.get("text") and not part.get("thought"))
