"""OpenAI Responses: usage and end in `response.completed` (or incomplete, failed); there is no `[DONE]`.

`input_tokens` includes cached tokens. Shapes: facts/databricks 2.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moor.wire.meter.base import Tally, count, error_text, parse, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.wire.sse import SseEvent

_ENDS: Final = ("response.completed", "response.incomplete", "response.failed", "response.done")


class ResponsesReader:
    """Reads answers of the Responses API."""

    triggers = (b"response.completed", b"response.incomplete", b"response.failed", b"response.done", b'"error"')
    delta = b'.delta"'
    usual = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'

    def event(self, tally: Tally, event: SseEvent) -> None:
        """Take one event."""
        data = parse(event.data)
        kind = data.get("type") or event.event
        if kind in _ENDS:
            _take_response(tally, part(data, "response"))
            tally.ended = True
        elif kind == "error":
            tally.error = error_text(data)

    def content(self, data: Mapping[str, Any]) -> Any:
        """Text, or a piece of a tool's arguments."""
        return data.get("delta")

    def body(self, tally: Tally, body: bytes) -> None:
        """Take a whole response."""
        data = parse(body)
        _take_response(tally, data)
        tally.ended = bool(data)


def _take_response(tally: Tally, response: Mapping[str, Any]) -> None:
    usage = part(response, "usage")
    total, cached = count(usage, "input_tokens"), count(part(usage, "input_tokens_details"), "cached_tokens") or 0
    if total is not None:
        tally.cache_read = min(cached, total)
        tally.input = total - tally.cache_read
    tally.output = count(usage, "output_tokens")
    tally.reasoning = count(part(usage, "output_tokens_details"), "reasoning_tokens") or 0
    tally.final = tally.output is not None
    if response.get("error"):
        tally.error = error_text(response)
    elif response.get("status") == "failed":
        tally.error = "the response failed"


READER: Final = ResponsesReader()
