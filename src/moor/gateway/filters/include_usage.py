"""A chat stream that does not ask for its usage is made to, and the extra chunk is taken out on the way back."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import OPENAI_CHAT, STREAM
from moor.domain.quirks import NO_STREAM_USAGE_WITHOUT_ASKING, REFUSES_STREAM_OPTIONS_GEMINI
from moor.gateway.filters.base import REQUEST, RESPONSE, Draft, Filter
from moor.wire.meter.base import parse
from moor.wire.splice import encode, value
from moor.wire.sse import SseDecoder
from moor.wire.words import holds, holds_any
from moor.workspace.classify import GEMINI

_KEY: Final = "stream_options"
_NO_CHOICES: Final = (b'"choices":[]', b'"choices": []')


def apply(draft: Draft) -> bool:
    """Set `stream_options.include_usage` where the agent did not."""
    if draft.action != STREAM:
        return False
    raw = draft.get(_KEY)
    options: Any = value(raw) if raw is not None else {}
    options = options if isinstance(options, dict) else {}
    if options.get("include_usage") is True:
        return False
    draft.set(_KEY, encode({**options, "include_usage": True}))
    return True


class WithoutUsage:
    """Takes chunks without choices, which only tell the usage, out of a stream."""

    def feed(self, block: bytes) -> bytes:
        """The block without them; untouched where there is none."""
        if not holds_any(block, _NO_CHOICES):
            return block
        end = b"\r\n\r\n" if holds(block, b"\r\n\r\n") else b"\n\n"
        parts = block.split(end)
        return end.join(part for part in parts if not _is_usage(part))


def _is_usage(part: bytes) -> bool:
    if b'"choices"' not in part or b'"usage"' not in part:
        return False
    for event in SseDecoder().feed(part.strip(b"\r\n") + b"\n\n"):
        data = parse(event.data)
        if data.get("choices") == [] and data.get("usage"):
            return True
    return False


FILTER: Final = Filter(
    name="include-usage",
    phases=(REQUEST, RESPONSE),
    priority=40,
    dialects=(OPENAI_CHAT,),
    quirk=NO_STREAM_USAGE_WITHOUT_ASKING,
    unless=((REFUSES_STREAM_OPTIONS_GEMINI, GEMINI),),
    why="without it a chat stream says nothing of its tokens, and the ledger could only estimate",
    since="0.1.0",
    fields=("stream_options",),
    apply=apply,
    stage=WithoutUsage,
)
