"""One OpenCode provider per dialect, on the gateway's addresses (facts/opencode 6).

Ids are our own: an id of OpenCode's catalogue (it has a `databricks`) would be merged with its models.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import NANO, Model
from moor.secrets import Secret


class _Kind(NamedTuple):
    provider: str
    package: str
    """bundled in OpenCode: nothing is fetched for it (6.1)"""
    path: str
    label: str


_KINDS: Final = {
    ANTHROPIC_MESSAGES: _Kind("moor-anthropic", "@ai-sdk/anthropic", "/anthropic/v1", "Moorage (Anthropic)"),
    OPENAI_CHAT: _Kind("moor-chat", "@ai-sdk/openai-compatible", "/openai/v1", "Moorage"),
    OPENAI_RESPONSES: _Kind("moor-responses", "@ai-sdk/openai", "/openai/v1", "Moorage (OpenAI)"),
    GEMINI_GENERATE: _Kind("moor-gemini", "@ai-sdk/google", "/gemini/v1beta", "Moorage (Gemini)"),
}

PROVIDER_IDS: Final = tuple(kind.provider for kind in _KINDS.values())

_CONTEXT: Final = 128_000
"""assumed where the upstream does not say; OpenCode demands a number and compacts by it"""
_OUTPUT: Final = 8_192
_DEADLINE_MS: Final = 330_000
"""a little above the gateway's own, so that the gateway's verdict arrives and not a timeout that OpenCode repeats"""


def model_ref(model: Model) -> str:
    """`moor-anthropic/databricks-claude-…`: how OpenCode names the model."""
    return f"{_kind(model).provider}/{model.id}"


def split_ref(ref: str) -> tuple[str, str]:
    """Provider id and model id of `provider/model`; model ids may hold slashes themselves."""
    provider, _, model = ref.partition("/")
    return provider, model


def providers(models: tuple[Model, ...], gateway_url: str, key: Secret) -> dict[str, Any]:
    """The `provider` section: exactly these models, each under its best dialect."""
    section: dict[str, Any] = {}
    for model in models:
        kind = _kind(model)
        if kind.provider not in section:
            section[kind.provider] = _provider(kind, gateway_url, key)
        section[kind.provider]["models"][model.id] = _model(model)
        section[kind.provider]["whitelist"].append(model.id)
    return section


def _kind(model: Model) -> _Kind:
    return next(_KINDS[dialect] for dialect in model.dialects if dialect in _KINDS)


def _provider(kind: _Kind, gateway_url: str, key: Secret) -> dict[str, Any]:
    return {
        "npm": kind.package,
        "name": kind.label,
        "options": {
            "baseURL": gateway_url + kind.path,
            "apiKey": key.reveal(),
            "timeout": False,
            "headerTimeout": _DEADLINE_MS,
            "chunkTimeout": _DEADLINE_MS,
        },
        "whitelist": [],
        "models": {},
    }


def _model(model: Model) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": model.display_name or model.id,
        "limit": {"context": model.context or _CONTEXT, "output": _output(model)},
        "tool_call": True,
        "reasoning": model.reasoning,
        "attachment": model.attachment,
        "modalities": {"input": ["text", "image", "pdf"] if model.attachment else ["text"], "output": ["text"]},
    }
    if model.price is not None:
        price = model.price
        entry["cost"] = {
            name: getattr(price, name) / NANO for name in ("input", "output", "cache_read", "cache_write")
        }
    return entry


def _output(model: Model) -> int:
    """Never above half of the window: OpenCode keeps that much of it free for the answer."""
    context = model.context or _CONTEXT
    return min(model.max_output or _OUTPUT, max(context // 2, 1))
