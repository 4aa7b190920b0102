"""The settings that Codex is started with: ours on top of what was taken over of the user's and the repository's.

All of it goes on the command line, which beats every file but the machine's own, and is the session's own: the home
that conversations need to be found again (its path stands in their records) is shared by sessions that run at once.
"""

from __future__ import annotations

import os
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.codex.user_config import UserConfig
from moor.agents.repository import Repository

PROVIDER: Final = "moor"
KEY_VARIABLE: Final = "MOOR_CODEX_KEY"
"""holds the session's key; commands do not see it"""
HOME_VARIABLE: Final = "CODEX_HOME"
STATE_VARIABLE: Final = "CODEX_SQLITE_HOME"
PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
"""Codex itself gets the gateway as its proxy, which tunnels nothing: its interface fetches a tip from GitHub
at each start, whatever is set (0.169.0). Calls to loopback pass no proxy."""
SERVER: Final = "server"
_IDLE_MS: Final = 330_000
"""a little above the gateway's own, so that the gateway's verdict arrives and not a timeout of Codex's"""

_FEATURES: Final = {
    # vendor traffic: a catalogue of plugins from GitHub, connectors, remote control
    "plugins": False,
    "apps": False,
    "remote_plugin": False,
    "plugin_sharing": False,
    "recommended_plugins": False,
    "tool_suggest": False,
    "skill_mcp_dependency_install": False,
    "remote_control": False,
    "image_generation": False,
    "in_app_updates": False,
    # a background server that outlives the session (facts 0.2)
    "daemon_auto_start": False,
    "prevent_idle_sleep": False,
    # a second model call that judges approvals, and one that writes memories
    "guardian_approval": False,
    "memories": False,
    # waits for ever when the gateway is gone
    "unbounded_connection_retries": False,
    "enable_request_compression": False,
    "hooks": False,
}
_SERVER_FEATURES: Final = {
    # a question comes to us, who answer it, instead of failing inside Codex
    "default_mode_request_user_input": True,
    # reads a picture anywhere without asking; goals go on without a prompt
    "view_image": False,
    "goals": False,
}


def ours(context: LaunchContext, user: UserConfig, catalogue: str, prompt: str, *, trust: bool) -> dict[str, Any]:
    """The keys that moor decides, whatever anybody wrote. `catalogue`, `prompt`: files; `trust`: Codex may.

    Codex reads the rules of a folder by itself only where it trusts it.
    """
    config: dict[str, Any] = {
        "model": context.model.id,
        "model_provider": PROVIDER,
        "model_catalog_json": catalogue,
        "model_instructions_file": prompt,
        "model_providers": {PROVIDER: _provider(context)},
        "web_search": "disabled",
        "check_for_update_on_startup": False,
        "analytics": {"enabled": False},
        "feedback": {"enabled": False},
        "cli_auth_credentials_store": "file",
        "mcp_oauth_credentials_store": "file",
        "project_doc_fallback_filenames": list(user.rule_names[2:]),
        "skills": {"bundled": {"enabled": False}},
        "projects": _projects(context.session.cwd, trust=trust),
        "shell_environment_policy": _variables(context, user),
        "features": {**_FEATURES, **(_SERVER_FEATURES if context.mode == SERVER else {})},
    }
    if "review" in context.slots:
        config["review_model"] = context.slots["review"].id
    if context.effort:
        config["model_reasoning_effort"] = context.effort
    return config


def merged(taken: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The whole configuration; ours wins key by key."""
    defaults = {"approval_policy": "on-request", "sandbox_mode": "workspace-write"}
    config = {**defaults, **taken, **own}
    config["tui"] = {**taken.get("tui", {}), "show_tooltips": False}
    if "hooks" in taken:
        config["features"] = {**own["features"], "hooks": True}
    return config


def _provider(context: LaunchContext) -> dict[str, Any]:
    return {
        "name": "Moorage",
        "base_url": f"{context.gateway_url}/openai/v1",
        "wire_api": "responses",
        "env_key": KEY_VARIABLE,
        # the gateway repeats calls; one more try is for a stream that was cut when it had begun
        "request_max_retries": 0,
        "stream_max_retries": 1,
        "stream_idle_timeout_ms": _IDLE_MS,
        "supports_websockets": False,
    }


def _projects(cwd: str, *, trust: bool) -> dict[str, Any]:
    repository = Repository(cwd)
    folders = dict.fromkeys((cwd, os.path.realpath(cwd), repository.root))
    return {folder: {"trust_level": "trusted" if trust else "untrusted"} for folder in folders}


def _variables(context: LaunchContext, user: UserConfig) -> dict[str, Any]:
    """Commands get the user's own environment: without the key, with the user's own Codex home and proxies."""
    own = {name: context.environ[name] for name in (HOME_VARIABLE, STATE_VARIABLE) if name in context.environ}
    hidden = ["MOOR_CODEX_*", HOME_VARIABLE, STATE_VARIABLE, *PROXIES, *user.hidden_variables]
    return {"inherit": "all", "ignore_default_excludes": True, "exclude": hidden, "set": own}


def unseen(context: LaunchContext) -> dict[str, Any]:
    """Settings for the private file, that no command line may show: the user's proxies, for commands."""
    own: dict[str, str] = {name: context.environ[name] for name in PROXIES if name in context.environ}
    if needs_other_temporary(context):
        own["TMPDIR"] = temporary(context)
    return {"shell_environment_policy": {"set": own}} if own else {}


def needs_other_temporary(context: LaunchContext) -> bool:
    """Whether the private home lies below the temporary folder: Codex makes no helpers for its sandbox there, and
    every command fails ("bwrap: execvp codex-linux-sandbox")."""
    folder = os.path.realpath(temporary(context))
    return os.path.realpath(context.home).startswith(folder.rstrip("/") + "/")


def temporary(context: LaunchContext) -> str:
    """The folder for temporary files that the user's environment names."""
    return context.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the system's default, not a file of ours
