"""The configuration OpenCode is started with: ours on top of what was taken over of the user's and the repository's.

It is delivered twice: whole, with the key, in a private file (an environment string ends at 128 KiB), and once more
without the key in OPENCODE_CONFIG_CONTENT, the layer that every other one loses to (facts/opencode 4.3).
"""

from __future__ import annotations

import json
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.opencode.environment import shell_path
from moor.agents.opencode.providers import model_ref, providers

SCHEMA: Final = "https://opencode.ai/config.json"
"""a file without it is rewritten by OpenCode (4.2)"""
_CONTENT_MAX_BYTES: Final = 96 * 1024


def ours(context: LaunchContext) -> dict[str, Any]:
    """The keys that moor decides, whatever anybody wrote."""
    section = providers(context.models, context.gateway_url, context.key)
    return {
        "$schema": SCHEMA,
        "provider": section,
        "enabled_providers": list(section),
        "disabled_providers": [],
        "model": model_ref(context.model),
        "small_model": model_ref(context.small_model),
        "share": "disabled",
        "autoupdate": False,
        "shell": str(shell_path(context)),
    }


def merged(taken: dict[str, Any], context: LaunchContext) -> dict[str, Any]:
    """The whole configuration; ours wins key by key."""
    return {**taken, **ours(context)}


def whole_text(config: dict[str, Any]) -> bytes:
    """The private file."""
    return dump(config).encode() + b"\n"


def content_text(config: dict[str, Any]) -> str:
    """The layer that wins: everything but the key; without the bulky parts where it would grow too long."""
    small = {**config, "provider": {name: _keyless(entry) for name, entry in config["provider"].items()}}
    text = dump(small)
    if len(text.encode()) <= _CONTENT_MAX_BYTES:
        return text
    kept = ("$schema", "enabled_providers", "disabled_providers", "model", "small_model", "share", "autoupdate")
    short = {name: config[name] for name in (*kept, "shell", "permission") if name in config}
    short["provider"] = {name: {"options": _keyless(entry)["options"]} for name, entry in config["provider"].items()}
    return dump(short)


def dump(value: Any) -> str:
    """JSON in which OpenCode finds nothing to replace: it puts in `{env:}` and `{file:}` in the raw text (4.5)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("{env:", "\\u007benv:").replace("{file:", "\\u007bfile:")


def _keyless(provider: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in provider["options"].items() if name != "apiKey"}
    return {**provider, "options": options}
