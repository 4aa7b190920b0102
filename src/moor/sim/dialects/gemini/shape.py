"""The types of a generateContent request; what else is wrong with it, `check` finds."""

from __future__ import annotations

from typing import Any

import msgspec

from moor.sim.messages import Json


class Call(msgspec.Struct, frozen=True):
    """A functionCall or a functionResponse."""

    name: str = ""
    id: str | None = None
    args: Json | None = None
    response: Any = None


class Part(msgspec.Struct, frozen=True):
    """One part."""

    text: str = ""
    functionCall: Call = Call()  # noqa: N815 - the wire's name
    functionResponse: Call = Call()  # noqa: N815 - the wire's name
    thought: bool = False
    thoughtSignature: str | None = None  # noqa: N815 - the wire's name


class Content(msgspec.Struct, frozen=True):
    """One turn."""

    parts: list[Part] = []
    role: str | None = None


class Declared(msgspec.Struct, frozen=True):
    """One offered function."""

    name: str = ""
    description: str | None = None
    parameters: Json | None = None
    parametersJsonSchema: Json | None = None  # noqa: N815 - the wire's name


class Tool(msgspec.Struct, frozen=True):
    """One entry of the tools."""

    functionDeclarations: list[Declared] | None = None  # noqa: N815 - the wire's name
    function_declarations: list[Declared] | None = None


class Thinking(msgspec.Struct, frozen=True):
    """Whether thought is shown."""

    includeThoughts: bool = False  # noqa: N815 - the wire's name


class Config(msgspec.Struct, frozen=True):
    """Generation parameters."""

    maxOutputTokens: int | None = None  # noqa: N815 - the wire's name
    temperature: float | None = None
    responseMimeType: str | None = None  # noqa: N815 - the wire's name
    thinkingConfig: Thinking | None = None  # noqa: N815 - the wire's name


class Body(msgspec.Struct, frozen=True):
    """A request."""

    contents: list[Content] = []
    systemInstruction: Content | None = None  # noqa: N815 - the wire's name
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    generationConfig: Config | None = None  # noqa: N815 - the wire's name
