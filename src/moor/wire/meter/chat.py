"""OpenAI chat completions: usage in the last chunk (or any chunk), end at `[DONE]` or a finish reason.

`prompt_tokens` includes cached tokens, so they are taken off. Databricks-served Claude models report
Anthropic's cache fields beside them. Shapes: facts/databricks 2.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moor.wire.meter.base import Tally, count, error_text, parse, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.wire.sse import SseEvent


class ChatReader:
    """Reads answers of the chat completions API."""

    triggers = (b'prompt_tokens"', b"[DONE]", b'"error"', b'finish_reason":"', b'finish_reason": "')
    delta = b'"delta"'
    usual = b""

    def event(self, tally: Tally, event: SseEvent) -> None:
        """Take one chunk."""
        if event.data.strip() == b"[DONE]":
            tally.ended = tally.marked = True
            tally.final = tally.final or tally.output is not None
            return
        data = parse(event.data)
        if data.get("error"):
            tally.error = error_text(data)
        finished = _finished(data)
        tally.ended = tally.ended or finished
        usage = part(data, "usage")
        if usage:
            _take(tally, usage)
            # engines that repeat a running sum in each chunk are final only at the end
            tally.final = tally.ended or not data.get("choices")

    def content(self, data: Mapping[str, Any]) -> Any:
        """The choices, in whose deltas text and pieces of arguments stand."""
        return data.get("choices")

    def body(self, tally: Tally, body: bytes) -> None:
        """Take a whole completion."""
        data = parse(body)
        usage = part(data, "usage")
        _take(tally, usage)
        tally.final = tally.output is not None
        tally.ended = bool(data)
        if data.get("error"):
            tally.error = error_text(data)


def _finished(data: Mapping[str, Any]) -> bool:
    choices = data.get("choices")
    if not isinstance(choices, list):
        return False
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)


def _take(tally: Tally, usage: Mapping[str, Any]) -> None:
    details = part(usage, "prompt_tokens_details")
    read = count(usage, "cache_read_input_tokens")
    if read is None:
        read = count(details, "cached_tokens") or 0
    written = count(usage, "cache_creation_input_tokens") or count(details, "cache_write_tokens") or 0
    prompt = count(usage, "prompt_tokens")
    if prompt is not None:
        tally.cache_read = min(read, prompt)
        tally.cache_write = min(written, prompt - tally.cache_read)
        tally.input = prompt - tally.cache_read - tally.cache_write
    completion = count(usage, "completion_tokens")
    if completion is not None:
        tally.output = completion
    reasoning = count(part(usage, "completion_tokens_details"), "reasoning_tokens")
    if reasoning is not None:
        tally.reasoning = reasoning


READER: Final = ChatReader()
