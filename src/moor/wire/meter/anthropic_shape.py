"""The usual form of a whole message, as far as the meter reads it. Apart, because msgspec builds its classes from
annotations, which compiled code does not keep."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=1_000_000_000_000)]
"""a number of tokens as it should be; anything else is left to `count`"""


class Details(msgspec.Struct):
    """Of `output_tokens_details`."""

    thinking_tokens: Count | None = None


class Written(msgspec.Struct):
    """Of `cache_creation`."""

    ephemeral_1h_input_tokens: Count | None = None


class Usage(msgspec.Struct):
    """Of `usage`."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: Written | None = None
    output_tokens_details: Details | None = None


class Message(msgspec.Struct):
    """Of the whole document."""

    type: str = ""
    usage: Usage | None = None


class Event(msgspec.Struct):
    """Of one event of a stream."""

    type: str = ""
    message: Message | None = None
    usage: Usage | None = None
