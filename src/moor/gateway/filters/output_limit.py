"""An output limit above the model's own is lowered to it."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.quirks import REFUSES_LARGE_MAX_TOKENS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, value

_KEYS: Final = {
    ANTHROPIC_MESSAGES: ("max_tokens",),
    OPENAI_CHAT: ("max_tokens", "max_completion_tokens"),
    OPENAI_RESPONSES: ("max_output_tokens",),
}
_GEMINI_PLACES: Final = (("generationConfig", "maxOutputTokens"), ("generation_config", "max_output_tokens"))
_MIN_THINKING: Final = 1024


def apply(draft: Draft) -> bool:
    """Lower the limit; nothing where the model's own is not known."""
    cap = draft.model.max_output
    if cap is None:
        return False
    if draft.dialect == GEMINI_GENERATE:
        return any(_lower_inside(draft, group, key, cap) for group, key in _GEMINI_PLACES)
    lowered = [key for key in _KEYS[draft.dialect] if _is_above(draft, key, cap)]
    for key in lowered:
        draft.set(key, b"%d" % cap)
    if lowered and draft.dialect == ANTHROPIC_MESSAGES:
        _lower_thinking(draft, cap)
    return bool(lowered)


def _is_above(draft: Draft, key: str, cap: int) -> bool:
    if draft.is_original(key):
        number = draft.index.number(key)
        if number is not None:
            return number > cap
    raw = draft.get(key)
    return raw is not None and raw.isdigit() and (len(raw) > 18 or int(raw) > cap)


def _lower_inside(draft: Draft, group: str, key: str, cap: int) -> bool:
    raw = draft.get(group)
    config: Any = value(raw) if raw is not None else None
    if not isinstance(config, dict):
        return False
    asked = config.get(key)
    if not isinstance(asked, int) or asked <= cap:
        return False
    draft.set(group, encode({**config, key: cap}))
    return True


def _lower_thinking(draft: Draft, cap: int) -> None:
    """The thinking budget must stay below the limit, else that is a 400 of its own."""
    raw = draft.get("thinking")
    thinking: Any = value(raw) if raw is not None else None
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if isinstance(budget, int) and budget >= cap:
        lowered = max(_MIN_THINKING, cap // 2)
        draft.set("thinking", encode({**thinking, "budget_tokens": lowered}))


FILTER: Final = Filter(
    name="output-limit",
    priority=30,
    dialects=(ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES, GEMINI_GENERATE),
    quirk=REFUSES_LARGE_MAX_TOKENS,
    why="an output limit above the model's cap is a 400 (GLM: 25,000)",
    since="0.1.0",
    fields=(
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "generationConfig.maxOutputTokens",
        "thinking.budget_tokens",
    ),
    apply=apply,
)
