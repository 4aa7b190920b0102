"""The types of a chat request; what else is wrong with it, `check` finds."""

from __future__ import annotations

from typing import Any

import msgspec

from moor.sim.messages import Json


class Part(msgspec.Struct, frozen=True):
    """One part of a content list."""

    type: str = ""
    text: str = ""
    image_url: Json | None = None
    summary: Any = None


class Function(msgspec.Struct, frozen=True):
    """Name and arguments of a call."""

    name: str = ""
    arguments: str = ""


class Call(msgspec.Struct, frozen=True):
    """One tool call of the model."""

    id: str = ""
    type: str = "function"
    function: Function = Function()


class Message(msgspec.Struct, frozen=True):
    """One message of any role."""

    role: str = ""
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str = ""
    name: str | None = None


class Declared(msgspec.Struct, frozen=True):
    """What a tool is."""

    name: str = ""
    description: str | None = None
    parameters: Json | None = None


class Tool(msgspec.Struct, frozen=True):
    """One offered tool."""

    type: str = ""
    function: Declared = Declared()


class Format(msgspec.Struct, frozen=True):
    """How the answer is to look."""

    type: str = "text"


class Body(msgspec.Struct, frozen=True):
    """A request."""

    messages: list[Message] = []
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Json | None = None
    stream: bool | None = None
    stream_options: Json | None = None
    thinking: Json | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    top_p: float | None = None
