"""The types of a Messages request; what else is wrong with it, `check` finds."""

from __future__ import annotations

from typing import Any

import msgspec

from moor.sim.messages import Json


class Block(msgspec.Struct, frozen=True):
    """One content block, of any kind."""

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Json = {}
    tool_use_id: str = ""
    content: str | list[Block] = ""
    is_error: bool | None = False
    thinking: str = ""
    signature: str = ""
    data: str = ""
    source: Json = {}
    cache_control: Json | None = None
    citations: Any = None


class Message(msgspec.Struct, frozen=True):
    """One message."""

    role: str = ""
    content: str | list[Block] = ""


class Tool(msgspec.Struct, frozen=True):
    """One offered tool."""

    type: str = ""
    name: str = ""
    description: str = ""
    input_schema: Json = {}
    cache_control: Json | None = None


class Body(msgspec.Struct, frozen=True):
    """A request."""

    messages: list[Message] = []
    max_tokens: int = 0
    system: str | list[Block] = ""
    tools: list[Tool] = []
    tool_choice: Json | None = None
    thinking: Json | None = None
    metadata: Json | None = None
    output_config: Json | None = None
    context_management: Json | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
