"""Google's Gemini API, and what speaks like it. generateContent dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from moor.domain.dialects import COUNT_TOKENS, GEMINI_GENERATE, STREAM
from moor.domain.models import Model
from moor.upstreams.keyed import KeyedUpstream, Listed

KIND: Final = "gemini"
_GENERATES: Final = "generateContent"


class GeminiUpstream(KeyedUpstream):
    """One account or proxy. The key goes into `x-goog-api-key`; `auth = "bearer"` for a proxy that wants it so."""

    kind = KIND
    default_url = "https://generativelanguage.googleapis.com"
    auth = "x-goog-api-key"
    dialects = (GEMINI_GENERATE,)
    list_path = "/v1beta/models"
    list_query: Mapping[str, str] | None = {"pageSize": "1000"}

    def listed(self, answer: dict[str, Any]) -> Iterable[Listed]:
        """Models that generate, with the limits that the list states."""
        items = answer.get("models")
        for item in items if isinstance(items, list) else []:
            if (
                isinstance(item, dict)
                and item.get("name")
                and _GENERATES in item.get("supportedGenerationMethods", (_GENERATES,))
            ):
                name = str(item["name"]).removeprefix("models/")
                yield Listed(name, _count(item.get("inputTokenLimit")), _count(item.get("outputTokenLimit")))

    def path(self, dialect: str, model: Model, action: str) -> str | None:  # noqa: ARG002 - it has one
        """`base_url` + /v1beta/models/MODEL:METHOD."""
        base = f"/v1beta/models/{quote(model.id, safe='')}"
        if action == COUNT_TOKENS:
            return f"{base}:countTokens"
        return f"{base}:streamGenerateContent?alt=sse" if action == STREAM else f"{base}:{_GENERATES}"


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
