"""Gemini generateContent: `usageMetadata` in each chunk, the last one counts; end where a finish reason stands.

`promptTokenCount` includes cached tokens; thoughts are counted beside the candidates. No terminator.
Shapes: facts/databricks 2.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moor.wire.meter.base import Tally, count, error_text, parse, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.wire.sse import SseEvent


class GeminiReader:
    """Reads answers of generateContent and streamGenerateContent."""

    triggers = (b"TokenCount", b"finishReason", b"blockReason", b'"error"')
    delta = b'"parts"'
    usual = b""

    def event(self, tally: Tally, event: SseEvent) -> None:
        """Take one chunk."""
        self._take(tally, parse(event.data))

    def content(self, data: Mapping[str, Any]) -> Any:
        """The candidates, in whose parts text and calls stand."""
        return data.get("candidates")

    def body(self, tally: Tally, body: bytes) -> None:
        """Take a whole answer."""
        data = parse(body)
        self._take(tally, data)
        tally.ended = bool(data)
        tally.final = bool(part(data, "usageMetadata"))

    def _take(self, tally: Tally, data: Mapping[str, Any]) -> None:
        usage = part(data, "usageMetadata")
        if usage:
            _take_usage(tally, usage)
        if _finished(data):
            tally.ended = True
        tally.final = tally.ended and tally.input is not None
        if data.get("error"):
            tally.error = error_text(data)


def _finished(data: Mapping[str, Any]) -> bool:
    if part(data, "promptFeedback").get("blockReason"):
        return True
    candidates = data.get("candidates")
    if not isinstance(candidates, list):
        return False
    return any(isinstance(candidate, dict) and candidate.get("finishReason") for candidate in candidates)


def _take_usage(tally: Tally, usage: Mapping[str, Any]) -> None:
    prompt = (count(usage, "promptTokenCount") or 0) + (count(usage, "toolUsePromptTokenCount") or 0)
    tally.cache_read = min(count(usage, "cachedContentTokenCount") or 0, prompt)
    tally.input = prompt - tally.cache_read
    tally.reasoning = count(usage, "thoughtsTokenCount") or 0
    tally.output = (count(usage, "candidatesTokenCount") or 0) + tally.reasoning


READER: Final = GeminiReader()
