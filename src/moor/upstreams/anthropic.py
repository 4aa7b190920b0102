"""Anthropic's own API, and what speaks like it. Messages dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moor.domain import quirks
from moor.domain.dialects import ANTHROPIC_MESSAGES, COUNT_TOKENS
from moor.domain.models import Model
from moor.upstreams.keyed import KeyedUpstream

KIND: Final = "anthropic"
_VERSION: Final = "2023-06-01"


class AnthropicUpstream(KeyedUpstream):
    """One account or proxy. The key goes into `x-api-key`; `auth = "bearer"` for a proxy that wants it so."""

    kind = KIND
    quirks = frozenset({quirks.REFUSES_CACHE_TTL, quirks.OMITS_STREAM_END})
    default_url = "https://api.anthropic.com"
    auth = "x-api-key"
    dialects = (ANTHROPIC_MESSAGES,)
    list_path = "/v1/models"
    list_query: Mapping[str, str] | None = {"limit": "1000"}
    list_headers: Mapping[str, str] | None = {"anthropic-version": _VERSION}

    def path(self, dialect: str, model: Model, action: str) -> str | None:  # noqa: ARG002 - the same for all models
        """`base_url` + /v1/messages, and its counting of tokens."""
        return "/v1/messages/count_tokens" if action == COUNT_TOKENS else "/v1/messages"
