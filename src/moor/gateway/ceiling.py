"""The output limit inside a request: read for a budget, and lowered to what is left of it."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.index import Index
from moor.wire.splice import encode, splice, value

DEFAULT: Final = 32_000
"""output tokens of a call that states no limit, to a model whose own limit is not known"""
_KEYS: Final = {
    ANTHROPIC_MESSAGES: ("max_tokens",),
    OPENAI_CHAT: ("max_completion_tokens", "max_tokens"),
    OPENAI_RESPONSES: ("max_output_tokens",),
}
_GEMINI: Final = (("generationConfig", "maxOutputTokens"), ("generation_config", "max_output_tokens"))
_LEAST_THINKING: Final = 1024
_MAX: Final = 1 << 40


class Ceiling:
    """One request's limit; `tokens` counts all answers that it asks for at once."""

    def __init__(self, dialect: str, index: Index, model_max: int | None) -> None:
        self._dialect = dialect
        self._index = index
        if dialect == GEMINI_GENERATE:
            self._times = max(1, self._in_gemini("candidateCount", "candidate_count") or 1)
        else:
            self._times = self._number("n") or 1
        asked = self._asked()
        self.tokens = min(_MAX, (asked or model_max or DEFAULT) * self._times)

    def lowered(self, tokens: int) -> bytes | None:
        """The body with a lower limit; None where the call cannot be made with so little."""
        each = tokens // self._times
        if each < 1:
            return None
        if self._dialect == GEMINI_GENERATE:
            return self._lowered_gemini(each)
        changes: dict[str, bytes | None] = {}
        keys = _KEYS[self._dialect]
        present = [key for key in keys if key in self._index.spans] or [keys[0]]
        for key in present:
            own = self._number(key)
            if own is None or own > each:
                changes[key] = b"%d" % each
        if self._dialect == ANTHROPIC_MESSAGES:
            thinking = self._thinking()
            if thinking and thinking["budget_tokens"] >= each:
                if each <= _LEAST_THINKING:
                    return None
                budget = max(_LEAST_THINKING, each // 2)
                changes["thinking"] = encode({**thinking, "budget_tokens": budget})
        return splice(self._index, changes).body

    def _asked(self) -> int | None:
        if self._dialect == GEMINI_GENERATE:
            return self._in_gemini("maxOutputTokens", "max_output_tokens")
        highest: int | None = None  # of two, nobody knows which one the upstream keeps to
        for key in _KEYS[self._dialect]:
            number = self._number(key)
            if number is not None and (highest is None or number > highest):
                highest = number
        return highest

    def _number(self, key: str) -> int | None:
        number = self._index.number(key)
        return number if number is not None and 0 < number < _MAX else None

    def _in_gemini(self, *keys: str) -> int | None:
        if self._dialect != GEMINI_GENERATE:
            return None
        for group, _ in _GEMINI:
            config = self._object(group)
            for key in keys:
                number = config.get(key)
                if isinstance(number, int) and 0 < number < _MAX:
                    return number
        return None

    def _lowered_gemini(self, each: int) -> bytes:
        group, key = next((pair for pair in _GEMINI if pair[0] in self._index.spans), _GEMINI[0])
        return splice(self._index, {group: encode({**self._object(group), key: each})}).body

    def _thinking(self) -> dict[str, Any]:
        thinking = self._object("thinking")
        return thinking if isinstance(thinking.get("budget_tokens"), int) else {}

    def _object(self, key: str) -> dict[str, Any]:
        raw = self._index.raw(key)
        found: Any = value(raw) if raw is not None else None
        return found if isinstance(found, dict) else {}
