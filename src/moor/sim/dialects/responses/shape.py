"""The types of a Responses request; what else is wrong with it, `check` finds."""

from __future__ import annotations

import msgspec

from moor.sim.messages import Json


class Part(msgspec.Struct, frozen=True):
    """One part of a content or output list."""

    type: str = ""
    text: str = ""


class Item(msgspec.Struct, frozen=True):
    """One input item of any type."""

    type: str = "message"
    role: str = ""
    content: str | list[Part] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    input: str = ""
    output: str | list[Part] = ""


class Tool(msgspec.Struct, frozen=True):
    """One offered tool."""

    type: str = ""
    name: str = ""
    description: str | None = None
    parameters: Json | None = None


class Format(msgspec.Struct, frozen=True):
    """How the answer is to look."""

    type: str = "text"


class Text(msgspec.Struct, frozen=True):
    """Text options."""

    format: Format | None = None


class Body(msgspec.Struct, frozen=True):
    """A request."""

    input: str | list[Item] = ""
    instructions: str | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Json | None = None
    reasoning: Json | None = None
    include: list[str] | None = None
    text: Text | None = None
    max_output_tokens: int | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
