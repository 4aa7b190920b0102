"""The URL forms of model calls, by route and dialect: facts/databricks 2.1. Pure tables."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from moor.domain.dialects import (
    ANTHROPIC_MESSAGES,
    COUNT_TOKENS,
    GEMINI_GENERATE,
    GENERATE,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    STREAM,
)
from moor.domain.models import Model

GATEWAY: Final = "gateway"
"""`<workspace>/ai-gateway/…`: the current form (C1 to C6)"""
GATEWAY_HOST: Final = "gateway-host"
"""`https://<workspace id>.ai-gateway.cloud.databricks.com/…`: the older form (B1)"""
SERVING: Final = "serving"
"""`<workspace>/serving-endpoints/…`: classic serving (A2 to A6)"""
AUTO: Final = "auto"
"""probe once, remember"""
CLASSIC_LISTING: Final = "serving-endpoints"
"""`Model.source` of what only the list of classic serving endpoints has"""
ROUTES: Final = (GATEWAY, GATEWAY_HOST, SERVING)

_ROOTS: Final[dict[str, dict[str, str]]] = {
    GATEWAY: {
        ANTHROPIC_MESSAGES: "/ai-gateway/anthropic/v1/messages",
        OPENAI_RESPONSES: "/ai-gateway/codex/v1/responses",
        OPENAI_CHAT: "/ai-gateway/mlflow/v1/chat/completions",
        GEMINI_GENERATE: "/ai-gateway/gemini/v1beta/models/",
    },
    GATEWAY_HOST: {
        ANTHROPIC_MESSAGES: "/anthropic/v1/messages",
        OPENAI_RESPONSES: "/openai/v1/responses",
        OPENAI_CHAT: "/mlflow/v1/chat/completions",
        GEMINI_GENERATE: "/gemini/v1beta/models/",
    },
    SERVING: {
        ANTHROPIC_MESSAGES: "/serving-endpoints/anthropic/v1/messages",
        OPENAI_RESPONSES: "/serving-endpoints/responses",
        OPENAI_CHAT: "/serving-endpoints/chat/completions",
        GEMINI_GENERATE: "/serving-endpoints/google/v1beta/models/",
    },
}
_GEMINI_ACTIONS: Final = {
    GENERATE: ":generateContent",
    STREAM: ":streamGenerateContent?alt=sse",
    COUNT_TOKENS: ":countTokens",
}


def path_of(route: str, dialect: str, model_id: str, action: str) -> str | None:
    """Absolute path with query below the route's host; None where the dialect has no such action."""
    root = _ROOTS[route].get(dialect)
    if root is None:
        return None
    if dialect == GEMINI_GENERATE:
        return f"{root}{quote(model_id, safe='.-_~')}{_GEMINI_ACTIONS[action]}"
    if action == COUNT_TOKENS:
        return f"{root}/count_tokens" if dialect == ANTHROPIC_MESSAGES else None
    return root


def needs_serving(model: Model) -> bool:
    """Whether only classic serving takes it: the workspace's own endpoint, which no gateway listing has (2.2)."""
    return model.source == CLASSIC_LISTING and not model.id.startswith("databricks-")


def gateway_host_of(workspace_id: str) -> str:
    """The older gateway's address; the AWS form, the only one recorded."""
    return f"https://{workspace_id}.ai-gateway.cloud.databricks.com"
