"""Lists of models and token counts in the form of each dialect, answered here and not upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_RESPONSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moor.domain.models import Model

_encode: Final = msgspec.json.Encoder().encode
_LONG_AGO: Final = "2025-01-01T00:00:00Z"
_LONG_AGO_S: Final = 1735689600


def models_body(dialect: str, models: Iterable[Model]) -> bytes:
    """The models as the dialect's own listing, whole, on one page."""
    if dialect == ANTHROPIC_MESSAGES:
        return _encode(_anthropic(list(models)))
    if dialect == GEMINI_GENERATE:
        return _encode({"models": [_gemini(model) for model in models]})
    data = [
        {"id": model.id, "object": "model", "created": _LONG_AGO_S, "owned_by": model.family or "unknown"}
        for model in models
    ]
    return _encode({"object": "list", "data": data})


def _anthropic(models: list[Model]) -> dict[str, Any]:
    data = [
        {"type": "model", "id": m.id, "display_name": m.display_name or m.id, "created_at": _LONG_AGO} for m in models
    ]
    return {
        "data": data,
        "has_more": False,
        "first_id": models[0].id if models else None,
        "last_id": models[-1].id if models else None,
    }


def _gemini(model: Model) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": f"models/{model.id}",
        "displayName": model.display_name or model.id,
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
