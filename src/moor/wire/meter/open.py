"""Meters: what a model call used, read from the upstream's own bytes, one dialect a file.

`open_stream(dialect)` meters server-sent events as they pass, `read_body(dialect, body)` a whole answer.
"""

from __future__ import annotations

import importlib
from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.meter.base import Reader, StreamMeter, Tally

READERS: Final[dict[str, str]] = {
    ANTHROPIC_MESSAGES: "moor.wire.meter.anthropic:READER",
    OPENAI_CHAT: "moor.wire.meter.chat:READER",
    OPENAI_RESPONSES: "moor.wire.meter.responses:READER",
    GEMINI_GENERATE: "moor.wire.meter.gemini:READER",
}
_LOADED: Final[dict[str, Reader]] = {}


def reader_for(dialect: str) -> Reader:
    """The dialect's reader; loaded once."""
    found = _LOADED.get(dialect)
    if found is None:
        module, _, name = READERS[dialect].partition(":")
        found = _LOADED[dialect] = getattr(importlib.import_module(module), name)
    return found


def open_stream(dialect: str) -> StreamMeter:
    """A meter for one streamed answer."""
    return StreamMeter(reader_for(dialect))


def read_body(dialect: str, body: bytes) -> Tally:
    """What a whole answer says it used. Never raises; a body that cannot be read leaves the tally empty."""
    tally = Tally()
    reader_for(dialect).body(tally, body)
    return tally
