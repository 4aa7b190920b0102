"""Anthropic Messages: input in `message_start`, output so far in each `message_delta`, end at `message_stop`.

`input_tokens` already excludes cached tokens. Shapes: facts/databricks 2.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple

from moor.wire.meter.anthropic_shape import Event, Message, Usage
from moor.wire.meter.base import Tally, count, error_text, parse, part, read_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.wire.sse import SseEvent


_EVENT: Final = msgspec.json.Decoder(Event)
_MESSAGE: Final = msgspec.json.Decoder(Message)


class AnthropicReader:
    """Reads answers of the Messages API."""

    triggers = (b'output_tokens"', b"message_stop", b'"error"')
    delta = b'"content_block_delta"'
    usual = b'event: content_block_delta\ndata: {"type":"content_block_delta",'

    def event(self, tally: Tally, event: SseEvent) -> None:
        """Take one event; the type inside the data decides, not the event's name."""
        told = read_as(_EVENT, event.data)
        if told is not None and told.type not in ("", "error"):
            _take_event(tally, told)
            return
        data = parse(event.data)
        kind = data.get("type")
        if kind == "message_start":
            _take(tally, part(part(data, "message"), "usage"))
        elif kind == "message_delta":
            usage = part(data, "usage")
            _take(tally, usage)
            tally.final = tally.final or count(usage, "output_tokens") is not None
        elif kind == "message_stop":
            tally.ended = True
        elif kind == "error":
            tally.error = error_text(data)

    def content(self, data: Mapping[str, Any]) -> Any:
        """Text, thoughts, or a piece of a tool's input."""
        return data.get("delta")

    def body(self, tally: Tally, body: bytes) -> None:
        """Take a whole message."""
        message = read_as(_MESSAGE, body)
        if message is not None:
            kind, usage = astuple(message)
            if usage is not None and kind != "error":
                _take_typed(tally, usage)
                return
        data = parse(body)
        told = part(data, "usage")
        _take(tally, told)
        tally.final = count(told, "output_tokens") is not None
        tally.ended = bool(data)
        if data.get("type") == "error":
            tally.error = error_text(data)


def _take_typed(tally: Tally, usage: Usage) -> None:
    """The same for the whole of an answer."""
    # in the order of its fields: one that is read by its name costs as much as all of them
    tally.input, tally.output, read, written, creation, details = astuple(usage)
    tally.cache_read, tally.cache_write = read or 0, written or 0
    if creation is not None:
        tally.hour = creation.ephemeral_1h_input_tokens or 0
    if details is not None:
        tally.reasoning = details.thinking_tokens or 0
    tally.final = tally.output is not None
    tally.ended = True


def _take_event(tally: Tally, told: Event) -> None:
    if told.type == "message_start":
        if told.message is not None and told.message.usage is not None:
            _take_some(tally, told.message.usage)
    elif told.type == "message_delta":
        if told.usage is not None:
            _take_some(tally, told.usage)
            tally.final = tally.final or told.usage.output_tokens is not None
    elif told.type == "message_stop":
        tally.ended = True


def _take_some(tally: Tally, usage: Usage) -> None:
    """The same as `_take`, for numbers whose form is known to be right."""
    if usage.input_tokens is not None:
        tally.input = usage.input_tokens
    if usage.output_tokens is not None:
        tally.output = usage.output_tokens
    if usage.cache_read_input_tokens is not None:
        tally.cache_read = usage.cache_read_input_tokens
    if usage.cache_creation_input_tokens is not None:
        tally.cache_write = usage.cache_creation_input_tokens
    if usage.cache_creation is not None:
        tally.hour = usage.cache_creation.ephemeral_1h_input_tokens or 0
    if usage.output_tokens_details is not None:
        tally.reasoning = usage.output_tokens_details.thinking_tokens or tally.reasoning


def _take(tally: Tally, usage: Mapping[str, Any]) -> None:
    # a later event may repeat some of the numbers; one that is absent keeps what was said before
    told = count(usage, "input_tokens")
    if told is not None:
        tally.input = told
    told = count(usage, "output_tokens")
    if told is not None:
        tally.output = told
    told = count(usage, "cache_read_input_tokens")
    if told is not None:
        tally.cache_read = told
    told = count(usage, "cache_creation_input_tokens")
    if told is not None:
        tally.cache_write = told
    if written := part(usage, "cache_creation"):
        tally.hour = count(written, "ephemeral_1h_input_tokens") or 0
    if "output_tokens_details" in usage:
        tally.reasoning = count(part(usage, "output_tokens_details"), "thinking_tokens") or tally.reasoning


READER: Final = AnthropicReader()
