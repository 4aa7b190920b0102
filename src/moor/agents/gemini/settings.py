"""The settings that Gemini CLI starts with, and its rules for what must be asked when moor drives it."""

from __future__ import annotations

import json
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.gemini.models import compression_threshold, tables

_DENIED: Final = """\
[[rule]]
toolName = {tools}
decision = "deny"
priority = 999
"""
_ASKED: Final = """
[[rule]]
toolName = ["update_topic", "write_todos", "complete_task", "get_internal_docs", "activate_skill"]
decision = "allow"
priority = 998

[[rule]]
toolName = ["invoke_agent", "generalist", "codebase_investigator", "cli_help"]
decision = "allow"
priority = 998

# a pattern keeps it from passing commands that it takes for safe: `cat` reads what it likes
[[rule]]
toolName = "run_shell_command"
argsPattern = "."
decision = "ask_user"
priority = 990

[[rule]]
toolName = "*"
decision = "ask_user"
priority = 989
"""
_SUBAGENTS: Final = ("generalist", "codebase_investigator", "cli_help", "browser_agent")
_OF_SUBAGENT: Final = """
[[rule]]
toolName = ["read_file", "read_many_files"]
subagent = "{name}"
argsPattern = '\\.env\\b'
decision = "deny"
priority = 997

[[rule]]
toolName = ["read_file", "read_many_files", "glob", "grep_search", "list_directory"]
subagent = "{name}"
decision = "allow"
priority = 996

[[rule]]
toolName = "*"
subagent = "{name}"
decision = "deny"
denyMessage = "Nobody can be asked for a sub-agent in this session: it may read files of the project only"
priority = 995
"""
"""a sub-agent's question never leaves Gemini CLI over the protocol, and it waits for ever"""
SERVER: Final = "server"
USER_RULES: Final = "GEMINI.user.md"
"""name of the file that holds the user's own rules, beside the one that it writes what it learns into"""
_RULES: Final = "GEMINI.md"
_HOSTED: Final = ("google_web_search", "web_fetch")
"""they ask Google's servers to look things up, which no gateway does for them"""
_OURS: Final[dict[str, Any]] = {
    "security": {
        # the second keeps a sign-in of its own from being chosen in its interface
        "auth": {"selectedType": "gemini-api-key", "enforcedType": "gemini-api-key"},
        "folderTrust": {"enabled": False},
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {
        "enableAutoUpdate": False,
        "enableAutoUpdateNotification": False,
        "devtools": False,
        "maxAttempts": 1,
        "retryFetchErrors": False,
        "plan": {"modelRouting": False},
    },
    "advanced": {"ignoreLocalEnv": True, "autoConfigureMemory": False},
    "ide": {"enabled": False, "hasSeenNudge": True},
    "experimental": {
        "dynamicModelConfiguration": True,
        "extensionManagement": False,
        "extensionRegistry": False,
        "voiceMode": False,
        "gemma": False,
    },
    "hooksConfig": {"enabled": False},
}


def settings(
    context: LaunchContext, user: dict[str, Any], repository: dict[str, Any], started: dict[str, Any]
) -> bytes:
    """The file's text: the user's taste, what the repository narrows, what was let in, then what moor decides."""
    whole = laid_over(laid_over(user, repository), started if context.trusted else {})
    whole = laid_over(whole, _OURS)
    whole = laid_over(whole, {"model": {"name": context.model.id}, "modelConfigs": tables(context)})
    if context.trusted and started.get("hooks"):
        whole["hooksConfig"] = {"enabled": True}
    if (threshold := compression_threshold(context.model)) is not None:
        whole["model"]["compressionThreshold"] = threshold
    unsaid = {"exclude", "allowed"} if context.mode == SERVER else {"exclude"}
    whole["tools"] = {name: value for name, value in whole.get("tools", {}).items() if name not in unsaid}
    whole["context"] = {**whole.get("context", {}), "fileName": _rules_files(user, repository)}
    taste = whole.get("ui")
    whole["ui"] = {"theme": "Default", **(taste if isinstance(taste, dict) else {})}
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def _rules_files(user: dict[str, Any], repository: dict[str, Any]) -> list[str]:
    """Names of rules files; Gemini CLI writes what it learns into the first."""
    names = [name for name in _joined(user, repository, "context", "fileName") if "/" not in name]
    return [*(names or [_RULES]), USER_RULES]


def policy(context: LaunchContext, user: dict[str, Any], repository: dict[str, Any]) -> bytes:
    """Its rules for tools. Driven by moor it asks for everything, reading too: the answer is a preset's."""
    denied = [*_joined(user, repository, "tools", "exclude"), *_HOSTED]
    asked = _ASKED + "".join(_OF_SUBAGENT.format(name=name) for name in _SUBAGENTS)
    never = _DENIED.format(tools=json.dumps(list(dict.fromkeys(denied))))
    return (never + asked if context.mode == SERVER else never).encode()


def laid_over(base: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `above`, map by map."""
    out = dict(base)
    for key, value in above.items():
        before = out.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        out[key] = laid_over(before, value) if both and isinstance(before, dict) else value
    return out


def _joined(user: dict[str, Any], repository: dict[str, Any], group: str, key: str) -> list[str]:
    found: list[str] = []
    for source in (user, repository):
        value = source.get(group, {}).get(key, [])
        found += [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]
    return list(dict.fromkeys(found))
