"""Behaviours nobody has recorded for certain, each behind a name, so that one can be corrected alone.

`GET /_sim/switches` and the reference page list them. A default is what facts/databricks takes for most likely, and
where that is open, the stricter side: a lenient simulator hides bugs.
"""

from __future__ import annotations

from typing import Final

import msgspec

from moor.errors.sim import SimSwitchUnknown


class Switch(msgspec.Struct, frozen=True):
    """One named behaviour."""

    name: str
    default: bool
    about: str
    """what happens when it is on"""
    source: str
    """where the knowledge comes from"""


COUNT_TOKENS: Final = "count-tokens"
CLASSIC_RESPONSES: Final = "classic-responses"
CLASSIC_CODEX: Final = "classic-codex"
CLASSIC_GOOGLE: Final = "classic-google"
GATEWAY: Final = "gateway"
MODEL_SERVICES: Final = "model-services"
FOUNDATION_MODELS: Final = "foundation-models"
HOST_METADATA: Final = "host-metadata"
OPENAI_RESPONSES_ROUTE: Final = "openai-responses-route"
HOSTED_WEB_SEARCH: Final = "hosted-web-search"
TOOL_CALL_QUIRK: Final = "tool-call-quirk"
FINISH_REASON_QUIRK: Final = "finish-reason-quirk"
SYSTEM_ROLE: Final = "system-role-in-messages"
CONTEXT_MANAGEMENT: Final = "context-management"
OUTPUT_CONFIG: Final = "output-config"
ADAPTIVE_THINKING: Final = "adaptive-thinking"
CACHE_TTL: Final = "cache-ttl"
UNKNOWN_BETAS: Final = "unknown-betas"
UNKNOWN_KEYS: Final = "unknown-keys"
CLIENT_METADATA: Final = "client-metadata"
NAMESPACE_TOOLS: Final = "namespace-tools"
GEMINI_ADDITIONAL_PROPERTIES: Final = "gemini-additional-properties"
THOUGHT_SIGNATURE: Final = "thought-signature-required"
X_API_KEY: Final = "x-api-key"
LIST_CONTENT: Final = "list-content"
OUTPUT_CAPS: Final = "output-caps"
CONTEXT_WINDOW: Final = "context-window"
PROVIDER_ERROR_FORM: Final = "provider-error-form"
REFRESH_INVALID_REQUEST: Final = "refresh-invalid-request"
KEEP_REFRESH: Final = "refresh-answer-without-token"
REQUEST_TAGS: Final = "request-tags-checked"
COMPRESSED_REQUESTS: Final = "compressed-requests"
PAT_ON_GATEWAY: Final = "pat-on-gateway"
REASONING_CONTENT: Final = "reasoning-content-back"
USAGE_ALWAYS: Final = "chat-usage-always"

_SWITCHES: Final = (
    Switch(COUNT_TOKENS, False, "the gateway serves /anthropic/v1/messages/count_tokens", "databricks 10.1: open"),
    Switch(CLASSIC_RESPONSES, False, "serve /serving-endpoints/responses", "databricks 2.1 A3: sources disagree"),
    Switch(CLASSIC_CODEX, False, "serve /serving-endpoints/openai/v1/responses", "databricks 2.1 A5: one source"),
    Switch(CLASSIC_GOOGLE, False, "serve /serving-endpoints/google/v1beta/…", "databricks 2.1 A6: one source"),
    Switch(
        GATEWAY, True, "the workspace has the AI Gateway; off: 404 under /ai-gateway and its API", "databricks 2.3"
    ),
    Switch(MODEL_SERVICES, True, "the schema system.ai exists; off: 404 SCHEMA_DOES_NOT_EXIST", "databricks 2.3"),
    Switch(FOUNDATION_MODELS, True, "serve serving-endpoints:foundation-models", "databricks 2.3"),
    Switch(HOST_METADATA, True, "serve /.well-known/databricks-config", "databricks 1.1"),
    Switch(OPENAI_RESPONSES_ROUTE, True, "serve /ai-gateway/openai/v1/responses beside codex/v1", "databricks 10.4"),
    Switch(
        HOSTED_WEB_SEARCH, False, "the Responses route takes the web_search tool", "databricks 2.7 row 14: conflict"
    ),
    Switch(
        TOOL_CALL_QUIRK,
        False,
        "open models name each call databricks-tool-call on the chat route",
        "databricks 2.7 row 5",
    ),
    Switch(FINISH_REASON_QUIRK, False, "open models end a tool call with finish_reason stop", "databricks 2.7 row 6"),
    Switch(SYSTEM_ROLE, False, "anthropic messages may hold role system", "agents-on-a-strict-wire: inferred"),
    Switch(
        CONTEXT_MANAGEMENT, False, "anthropic bodies may hold context_management", "databricks 2.7 row 8: inferred"
    ),
    Switch(OUTPUT_CONFIG, False, "anthropic bodies may hold output_config", "databricks 10.11: open"),
    Switch(ADAPTIVE_THINKING, False, "thinking may be of type adaptive", "databricks 10.11: open"),
    Switch(
        CACHE_TTL, False, "anthropic cache marks may hold a ttl", "users-ask: litellm#38790, inferred: strict side"
    ),
    Switch(
        UNKNOWN_BETAS,
        False,
        "an anthropic-beta value outside the known list is let through",
        "databricks 10.10: open",
    ),
    Switch(
        UNKNOWN_KEYS, False, "a body key outside the dialect's list is let through", "databricks 2.7 row 8: inferred"
    ),
    Switch(CLIENT_METADATA, False, "Responses bodies may hold client_metadata", "agents-on-a-strict-wire: inferred"),
    Switch(NAMESPACE_TOOLS, False, "Responses tools may be of type namespace", "agents-on-a-strict-wire: inferred"),
    Switch(
        GEMINI_ADDITIONAL_PROPERTIES,
        False,
        "parametersJsonSchema may hold additionalProperties",
        "agents-on-a-strict-wire: inferred",
    ),
    Switch(
        THOUGHT_SIGNATURE, True, "Gemini 3 wants the signature of each functionCall back", "databricks 2.7 row 16"
    ),
    Switch(
        X_API_KEY,
        False,
        "x-api-key alone is a credential on the anthropic routes",
        "agents-on-a-strict-wire: inferred",
    ),
    Switch(
        LIST_CONTENT,
        True,
        "reasoning models answer content as a list of blocks on chat",
        "databricks 2.10: documented",
    ),
    Switch(
        REASONING_CONTENT,
        False,
        "chat messages of models that think in blocks may hold reasoning_content",
        "litellm#36931: inferred",
    ),
    Switch(OUTPUT_CAPS, True, "max_tokens above the model's cap is refused for every model", "databricks 2.7 row 17"),
    Switch(CONTEXT_WINDOW, True, "a prompt over the model's context is refused", "databricks 2.8: inferred"),
    Switch(PROVIDER_ERROR_FORM, False, "anthropic refusals come in the provider's form", "databricks 0.3: both seen"),
    Switch(
        REFRESH_INVALID_REQUEST, False, "a dead refresh token is invalid_request, not invalid_grant", "databricks 1.2"
    ),
    Switch(
        KEEP_REFRESH,
        False,
        "a refresh is answered without a refresh token; the old one stays good",
        "databricks 9",
    ),
    Switch(
        REQUEST_TAGS, True, "request tags that are no JSON object of strings are refused", "databricks 2.9: inferred"
    ),
    Switch(COMPRESSED_REQUESTS, False, "a compressed request body is decoded; off: 415", "no source: strict side"),
    Switch(USAGE_ALWAYS, False, "a chat stream ends with usage even when nobody asked for it", "no source"),
    Switch(PAT_ON_GATEWAY, True, "a personal access token works on /ai-gateway", "databricks 10.18"),
)

SWITCHES: Final[dict[str, Switch]] = {switch.name: switch for switch in _SWITCHES}


class Switchboard:
    """The present position of every switch."""

    def __init__(self, positions: dict[str, bool] | None = None) -> None:
        self._set: dict[str, bool] = {}
        self.update(positions or {})

    def __getitem__(self, name: str) -> bool:
        return self._set.get(name, SWITCHES[name].default)

    def update(self, positions: dict[str, bool]) -> None:
        """Set some switches. Raises SimSwitchUnknown and changes nothing when a name is not known."""
        for name in positions:
            if name not in SWITCHES:
                raise SimSwitchUnknown(name)
        self._set.update(positions)

    def clear(self) -> None:
        """Back to the defaults."""
        self._set.clear()

    def positions(self) -> list[dict[str, object]]:
        """Each switch with its position, default, meaning and source."""
        return [{**msgspec.structs.asdict(s), "on": self[s.name]} for s in SWITCHES.values()]
