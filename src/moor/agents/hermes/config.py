"""The configuration Hermes is started with, as data: what moor decides, whatever the user's own file says.

Hermes reads YAML, of which JSON is a part. Two providers, one for each dialect; every side task is given the small
model by name, because a task without one looks for credentials in the environment (facts/hermes 3).
"""

from __future__ import annotations

from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.models import Model

TERMINAL: Final = "terminal"
KEY_VARIABLE: Final = "AUXILIARY_MOOR_API_KEY"
"""holds the session's key; Hermes takes names of this form out of the environment of every command it runs"""
_VERSION: Final = 33
"""of the file's form; an older one is rewritten by Hermes"""
_CLAUDE: Final = "moor"
_CHAT: Final = "moor-chat"
_SIDE_TASKS: Final = (
    *("vision", "web_extract", "compression", "skills_hub", "approval", "mcp", "title_generation"),
    *("memory_query_rewrite", "tts_audio_tags", "triage_specifier", "kanban_decomposer", "profile_describer"),
    *("goal_judge", "curator", "monitor", "background_review", "moa_reference", "moa_aggregator"),
)
_NO_TOOLS: Final = (
    *("web", "search", "x_search", "browser", "tts", "image_gen", "video", "video_gen", "computer_use", "cronjob"),
    *("homeassistant", "kanban", "discord", "discord_admin", "spotify", "project"),
)
"""toolsets that speak to services outside, or set up something that would run later"""
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
_EFFORT_FIELD: Final = ("minimal", "low", "medium", "high", "xhigh")
"""of the field `reasoning_effort`"""
_TAKE_EFFORT: Final = ("gpt", "gpt-oss")
"""families of chat models that take that field"""


def provider(model: Model) -> str:
    """Name of the provider that speaks the model's dialect: Anthropic's where it is served in it."""
    return _CLAUDE if ANTHROPIC_MESSAGES in model.dialects else _CHAT


def ours(context: LaunchContext) -> dict[str, Any]:
    """The keys that moor decides."""
    return {
        "_config_version": _VERSION,
        "model": _model(context.model),
        "providers": _providers(context),
        "custom_providers": [],
        "fallback_providers": [_named(context, model) for model in context.fallback],
        "auxiliary": {task: _side(context) for task in _SIDE_TASKS},
        "delegation": _delegation(context),
        "agent": _agent(context),
        # in a driven session moor is asked for every call; a second question for some, which sub-agents cannot even
        # put, would add nothing
        "approvals": {"mode": "manual" if context.mode == TERMINAL else "off", "cron_mode": "deny"},
        "terminal": {"backend": "local", "home_mode": "real", "cwd": context.session.cwd, "env_passthrough": []},
        "mcp_servers": {},
        "hooks": {},
        "hooks_auto_accept": False,
        "quick_commands": {},
        "secrets": {},
        "model_catalog": {"enabled": False},
        "curator": {"enabled": False},
        "lsp": {"enabled": False},
        "moa": {"presets": {"default": {"enabled": False}}},
        "cron": {"provider": ""},
        "security": {"tirith_enabled": False, "allow_lazy_installs": False, "redact_secrets": True},
    }


def effort_models(context: LaunchContext) -> list[str]:
    """Ids of the chat models whose requests state the effort; none where it is none of theirs."""
    if context.effort not in _EFFORT_FIELD:
        return []
    return [model.id for model in context.models if provider(model) == _CHAT and model.family in _TAKE_EFFORT]


def _model(model: Model) -> dict[str, Any]:
    """`base_url` stands in the provider; the window makes Hermes compact in time and saves its probes."""
    chosen: dict[str, Any] = {"default": model.id, "provider": provider(model)}
    if model.context:
        chosen["context_length"] = model.context
    if model.max_output:
        chosen["max_tokens"] = model.max_output
    return chosen


def _providers(context: LaunchContext) -> dict[str, Any]:
    ends = {
        _CLAUDE: ("Moorage", f"{context.gateway_url}/anthropic", "anthropic_messages"),
        _CHAT: ("Moorage chat", f"{context.gateway_url}/openai/v1", "chat_completions"),
    }
    out = {}
    for name, (title, url, mode) in ends.items():
        models = [model for model in context.models if provider(model) == name]
        if models:
            out[name] = {
                "name": title,
                "base_url": url,
                "key_env": KEY_VARIABLE,
                "api_mode": mode,
                "discover_models": False,
                "models": {model.id: {"context_length": model.context} if model.context else {} for model in models},
            }
    return out


def _named(context: LaunchContext, model: Model) -> dict[str, Any]:
    entry = _providers(context)[provider(model)]
    return {
        "provider": provider(model),
        "model": model.id,
        "base_url": entry["base_url"],
        "key_env": KEY_VARIABLE,
        "api_mode": entry["api_mode"],
    }


def _side(context: LaunchContext) -> dict[str, Any]:
    return {"provider": provider(context.small_model), "model": context.small_model.id}


def _delegation(context: LaunchContext) -> dict[str, Any]:
    """Sub-agents run on the main model, or on the slot `subagent`."""
    model = context.slots.get("subagent")
    chosen = {"provider": provider(model), "model": model.id} if model else {"provider": "", "model": ""}
    return {**chosen, "base_url": "", "api_key": "", "subagent_auto_approve": False}


def _agent(context: LaunchContext) -> dict[str, Any]:
    """One attempt a call: the gateway repeats what can be repeated."""
    chosen: dict[str, Any] = {
        "api_max_retries": 1,
        "disabled_toolsets": list(_NO_TOOLS),
        # its notes to itself at the end of a turn would be answered after the answer, in the same text
        "verify_on_stop": False,
        "environment_probe": False,
    }
    if context.effort in EFFORTS:
        chosen["reasoning_effort"] = context.effort
    return chosen
