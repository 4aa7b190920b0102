"""Hooks of a trusted repository in the form in which Codex runs them without asking once more.

Codex runs a hook of its config only where it has stored the hook's hash (tried on 0.169.0: SHA-256 over compact JSON
with sorted keys of event, matcher and the one handler). moor has asked for exactly this content already.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

_MATCHED: Final = frozenset(
    {"permission_request", "pre_tool_use", "post_tool_use", "pre_compact", "post_compact", "session_start"}
)
"""events whose matcher counts; it is no part of the hash of others"""
_TIMEOUT_S: Final = 600


def accepted(hooks: dict[str, list[Any]], config_path: str) -> dict[str, Any]:
    """The `hooks` section of that config file: its commands, and under `state` their hashes."""
    section: dict[str, Any] = {}
    state: dict[str, Any] = {}
    for event, groups in hooks.items():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
        section[event] = [_group(name, group) for group in groups]
        for place, group in enumerate(section[event]):
            for number, handler in enumerate(group["hooks"]):
                key = f"{config_path}:{name}:{place}:{number}"
                state[key] = {"trusted_hash": _hash(name, group.get("matcher"), handler)}
    return {**section, "state": state}


def _group(event: str, group: dict[str, Any]) -> dict[str, Any]:
    handlers = [_handler(hook) for hook in group["hooks"] if isinstance(hook, dict) and _is_command(hook)]
    matcher = group.get("matcher")
    return {"hooks": handlers, **({"matcher": matcher} if isinstance(matcher, str) and event in _MATCHED else {})}


def _is_command(hook: dict[str, Any]) -> bool:
    return isinstance(hook.get("command"), str) and hook.get("type", "command") == "command"


def _handler(hook: dict[str, Any]) -> dict[str, Any]:
    timeout = hook.get("timeout", _TIMEOUT_S)
    is_count = isinstance(timeout, int) and not isinstance(timeout, bool)
    return {
        "type": "command",
        "command": hook["command"],
        "timeout": max(1, timeout) if is_count else _TIMEOUT_S,
        "async": False,
    }


def _hash(event: str, matcher: str | None, handler: dict[str, Any]) -> str:
    identity = {"event_name": event, "hooks": [handler], **({"matcher": matcher} if matcher is not None else {})}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
