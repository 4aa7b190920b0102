"""settings.json: which of its keys are taste and limits, and which reroute, start, sign in or choose."""

from __future__ import annotations

from typing import Any, Final

from moor.agents import jsonc
from moor.agents.claude.markdown import DECIDED, MODEL, REROUTES, STARTS, WRONG, Shelf
from moor.agents.repository import Refused, Repository

ALLOW: Final = "allow"
ASK: Final = "ask"
DENY: Final = "deny"
_TASTE: Final[dict[str, type]] = {
    **dict.fromkeys(("outputStyle", "language", "viewMode", "editorMode", "defaultView", "theme"), str),
    **dict.fromkeys(("includeCoAuthoredBy", "includeGitInstructions", "respectGitignore"), bool),
    **dict.fromkeys(("alwaysThinkingEnabled", "showThinkingSummaries", "spinnerTipsEnabled", "verbose"), bool),
    **dict.fromkeys(("syntaxHighlightingDisabled", "prefersReducedMotion", "autoMemoryEnabled"), bool),
    **dict.fromkeys(("autoCompactEnabled", "fileCheckpointingEnabled", "todoFeatureEnabled"), bool),
    **dict.fromkeys(("showTurnDuration", "showMessageTimestamps", "autoScrollEnabled"), bool),
    **dict.fromkeys(("promptSuggestionEnabled", "awaySummaryEnabled", "terminalProgressBarEnabled"), bool),
    **dict.fromkeys(("disableSkillShellExecution", "disableBundledSkills", "disableWorkflows"), bool),
    **dict.fromkeys(("attribution", "sandbox", "skillOverrides", "spinnerVerbs"), dict),
    "effortLevel": str,
    "cleanupPeriodDays": int,
    "claudeMdExcludes": list,
}
_WHY: Final = {
    **dict.fromkeys(("env", "forceLoginMethod", "forceLoginGatewayUrl", "forceLoginOrgUUID"), REROUTES),
    **dict.fromkeys(("apiKeyHelper", "proxyAuthHelper", "awsAuthRefresh", "awsCredentialExport"), REROUTES),
    **dict.fromkeys(("gcpAuthRefresh", "otelHeadersHelper"), REROUTES),
    **dict.fromkeys(("hooks", "statusLine", "subagentStatusLine", "fileSuggestion", "mcpServers"), STARTS),
    **dict.fromkeys(("enabledPlugins", "extraKnownMarketplaces", "pluginConfigs"), STARTS),
    **dict.fromkeys(("enableAllProjectMcpServers", "enabledMcpjsonServers"), STARTS),
    **dict.fromkeys(("model", "availableModels", "modelOverrides", "fallbackModel", "advisorModel"), MODEL),
}
_RULES: Final = (ALLOW, ASK, DENY)


def read_settings(repository: Repository, path: str, where: str, shelf: Shelf) -> dict[str, Any]:
    """The object in the file; empty when there is none or it cannot be read (and named)."""
    try:
        text = repository.read(path)
        value = jsonc.loads(text) if text else {}
    except (Refused, ValueError) as error:
        shelf.leave("the whole file", where, f"it cannot be read: {error}")
        return {}
    if isinstance(value, dict):
        return value
    shelf.leave("the whole file", where, WRONG)
    return {}


def taste(settings: dict[str, Any], where: str, shelf: Shelf) -> dict[str, Any]:
    """The keys that are handed over of the user's own; the others are named, `permissions` excepted."""
    kept = {}
    for name, value in settings.items():
        kind = _TASTE.get(name)
        if kind is not None and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            kept[name] = value
        elif name not in ("permissions", "$schema"):
            shelf.leave(name, where, WRONG if kind is not None else _WHY.get(name, DECIDED))
    return kept


def leave_all(settings: dict[str, Any], where: str, shelf: Shelf) -> None:
    """Names the keys of a repository's settings: none but the narrowing permissions is handed over."""
    for name in settings:
        if name not in ("permissions", "$schema"):
            shelf.leave(name, where, _WHY.get(name, DECIDED))


def rules(settings: dict[str, Any], names: tuple[str, ...] = _RULES) -> dict[str, list[str]]:
    """The permission rules of those names, wrong entries left out."""
    permissions = settings.get("permissions")
    if not isinstance(permissions, dict):
        return {}
    texts = {name: [one for one in _list(permissions.get(name)) if isinstance(one, str)] for name in names}
    return {name: value for name, value in texts.items() if value}


def joined(*several: dict[str, list[str]]) -> dict[str, list[str]]:
    """Rules of several owners in one."""
    out: dict[str, list[str]] = {}
    for one in several:
        for name, texts in one.items():
            if not texts:
                continue
            out[name] = list(dict.fromkeys([*out.get(name, []), *texts]))
    return out


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
