"""The private files of a launch: settings that win over every other, and the state that answers first questions."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.claude.extras import Extras
from moor.agents.claude.memory import memory_folder
from moor.agents.claude.models import further, wire_name
from moor.agents.claude.settings import ALLOW, ASK, DENY, joined
from moor.agents.claude.user_config import UserConfig
from moor.agents.repository import Repository
from moor.domain.models import Model

_WEB_SEARCH: Final = "WebSearch"
"""asks for a tool that runs on the model's side, which a workspace refuses (facts, 6)"""
_ACTS: Final = ("Bash", "Read", "Edit", "Write", "NotebookEdit", "WebFetch")
"""asked for in a driven session beside the hook, should a machine's settings switch hooks off"""
_PINS: Final = {
    "disableAgentView": True,
    "disableRemoteControl": True,
    "disableClaudeAiConnectors": True,
    "disableArtifact": True,
    "disableDeepLinkRegistration": "disable",
    "enableAllProjectMcpServers": False,
    "feedbackSurveyRate": 0,
}


def user_settings(user: UserConfig, *, driven: bool) -> dict[str, Any]:
    """settings.json of the private folder: the user's own taste and rules; a driven session has no allows."""
    permissions: dict[str, Any] = {name: texts for name, texts in user.rules.items() if not driven or name != ALLOW}
    if user.default_mode and not driven:
        permissions["defaultMode"] = user.default_mode
    if user.directories and not driven:
        permissions["additionalDirectories"] = user.directories
    return {**user.settings, **({"permissions": permissions} if permissions else {})}


def pins(context: LaunchContext, rules: dict[str, list[str]], extras: Extras, *, driven: bool) -> dict[str, Any]:
    """The settings of `--settings`, which beat the user's: limits of moor's and the repository's, what was let in."""
    settings: dict[str, Any] = dict(_PINS)
    settings["availableModels"] = list(dict.fromkeys(wire_name(model) for model in (context.model, *context.models)))
    settings["enforceAvailableModels"] = True
    asks = {ASK: list(_ACTS) if driven else rules.get(ASK, [])}
    settings["permissions"] = joined({DENY: [_WEB_SEARCH, *rules.get(DENY, [])]}, asks)
    settings["autoMemoryDirectory"] = str(memory_folder(context))
    if driven:
        settings["disableSkillShellExecution"] = True  # no hook is asked, and a denied one ends the turn as a success
    if extras.hooks:
        settings["hooks"] = extras.hooks
    return settings


def state(context: LaunchContext, user: UserConfig) -> dict[str, Any]:
    """`.claude.json`: the first questions are answered (facts, 5). Trust is moor's affair: see `moor trust`."""
    folders = {os.path.realpath(context.session.cwd), Repository(context.session.cwd).root, context.session.cwd}
    project = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    return {
        **user.state,
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": context.installed.version,
        "autoUpdates": False,
        # a list that it would fetch from its maker: further rows of the picker
        "additionalModelOptionsCache": [_row(model) for model in further(context)],
        "projects": dict.fromkeys(sorted(folders), project),
    }


def _row(model: Model) -> dict[str, str]:
    return {"value": wire_name(model), "label": model.display_name or model.id, "description": model.family}


def dump(value: Any) -> bytes:
    """JSON as bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
