"""Lists of models and token counts in the form of each dialect, answered here and not upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moor.domain.models import Model

_encode: Final = msgspec.json.Encoder().encode
_LONG_AGO: Final = "2025-01-01T00:00:00Z"
_LONG_AGO_S: Final = 1735689600
_SERVED: Final = {
    ANTHROPIC_MESSAGES: (ANTHROPIC_MESSAGES,),
    GEMINI_GENERATE: (GEMINI_GENERATE,),
    OPENAI_CHAT: (OPENAI_CHAT, OPENAI_RESPONSES),
    OPENAI_RESPONSES: (OPENAI_RESPONSES,),
}
"""which models a client of a dialect's listing can call; the two dialects of OpenAI share one"""


def listed(dialect: str, models: Iterable[Model]) -> list[Model]:
    """Those of the models that a client of the dialect can call."""
    served = _SERVED[dialect]
    return [model for model in models if any(one in served for one in model.dialects)]


def models_body(dialect: str, models: Iterable[Model]) -> bytes:
    """The models as the dialect's own listing, whole, on one page."""
    shown = listed(dialect, models)
    entries = [_entry(dialect, model) for model in shown]
    if dialect == ANTHROPIC_MESSAGES:
        first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
        return _encode({"data": entries, "has_more": False, "first_id": first, "last_id": last})
    if dialect == GEMINI_GENERATE:
        return _encode({"models": entries})
    return _encode({"object": "list", "data": entries})


def model_body(dialect: str, model: Model) -> bytes:
    """One model as an entry of that listing."""
    return _encode(_entry(dialect, model))


def _entry(dialect: str, model: Model) -> dict[str, Any]:
    name = model.display_name or model.id
    if dialect == ANTHROPIC_MESSAGES:
        return {"type": "model", "id": model.id, "display_name": name, "created_at": _LONG_AGO}
    if dialect != GEMINI_GENERATE:
        return {"id": model.id, "object": "model", "created": _LONG_AGO_S, "owned_by": model.family or "unknown"}
    entry: dict[str, Any] = {
        "name": f"models/{model.id}",
        "displayName": name,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }
    if model.context:
        entry["inputTokenLimit"] = model.context
    if model.max_output:
        entry["outputTokenLimit"] = model.max_output
    return entry


def count_body(dialect: str, tokens: int) -> bytes:
    """A token count in the dialect's form."""
    if dialect == GEMINI_GENERATE:
        return _encode({"totalTokens": tokens})
    if dialect == OPENAI_RESPONSES:
        return _encode({"object": "response.input_tokens", "input_tokens": tokens})
    return _encode({"input_tokens": tokens})
