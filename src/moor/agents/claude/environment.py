"""Places and environment of a launch: a folder of the session's own, whose lasting parts are links to the home.

CLAUDE_CONFIG_DIR moves everything (facts, 2), so two sessions with different settings need two of them, and a file
that the user has deleted is gone from the next. Conversations, memories and what was typed live in the home.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.claude.arguments import asks_for_bypass
from moor.agents.claude.models import variables
from moor.domain.plan import PlannedFile, PlannedLink

_LASTING: Final = (
    *("projects", "file-history", "plans", "tasks", "todos", "paste-cache", "image-cache", "agent-memory"),
)
_TYPED: Final = "history.jsonl"
_SHELLS: Final = ("bash", "zsh")
_XDG: Final = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
"""it registers a handler of addresses, keeps logs of MCP servers and adds lines to git's ignore file there"""

_SWITCHES: Final = {
    # settings of any layer, a machine's included, may not name a provider, an address, a token or a model
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1",
    # no telemetry, no error reports, no updates, no calls to the vendor (measured: no connection at all)
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_GROWTHBOOK": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_UPDATES": "1",
    "DISABLE_INSTALLATION_CHECKS": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "CLAUDE_CODE_IDE_SKIP_AUTO_INSTALL": "1",
    "CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY": "1",
    # commands that sign in, report or change the installation
    "DISABLE_LOGIN_COMMAND": "1",
    "DISABLE_LOGOUT_COMMAND": "1",
    "DISABLE_UPGRADE_COMMAND": "1",
    "DISABLE_DOCTOR_COMMAND": "1",
    "DISABLE_FEEDBACK_COMMAND": "1",
    "DISABLE_BUG_COMMAND": "1",
    "DISABLE_EXTRA_USAGE_COMMAND": "1",
    "DISABLE_INSTALL_GITHUB_APP_COMMAND": "1",
    # background sessions would outlive this one and its gateway
    "CLAUDE_CODE_DISABLE_AGENT_VIEW": "1",
    # the gateway repeats calls and ends a cut stream with an error; a second form of the call would double that
    "CLAUDE_CODE_MAX_RETRIES": "1",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # the model that was chosen is the model that is called
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_FAST_MODE": "1",
    # its hash varies with the prompt, which spoils prompt caches
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
}
_DRIVEN: Final = {
    # a driven turn ends when it says so: nothing goes on behind it, nothing wakes up later
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_CRON": "1",
    # it would write them outside of the work tree, unasked by the prompt
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
}
_LEFT_ALONE: Final = frozenset({"PWD", "MOOR_SESSION"})
_OWN: Final = ("CLAUDE", "ANTHROPIC_", "_CLAUDE")


class Places:
    """Folders of one launch."""

    def __init__(self, context: LaunchContext) -> None:
        self.config = context.session_home / "claude"
        self.temporary = context.session_home / "tmp"
        self.pins = context.session_home / "pins.json"
        self.servers = context.session_home / "mcp.json"
        self.wrapper = context.session_home / "own-environment"
        self.bin = context.session_home / "bin"
        self.xdg = {name: context.session_home / "xdg" / name for name in _XDG}


def environment(context: LaunchContext, *, driven: bool, wrapped: bool) -> dict[str, str]:
    """The whole environment. Of Claude Code's own variables only those of the user's moor config are passed on.

    `wrapped`: hooks or MCP servers of the repository's were let in; they get the user's own environment back.
    """
    places = Places(context)
    meant = {*context.settings.env, *context.settings.pass_env}
    env = {name: value for name, value in context.environ.items() if name in meant or not name.startswith(_OWN)}
    env.update(_SWITCHES)
    if driven:
        env.update(_DRIVEN)
    env.update(variables(context))
    env.update({name: str(path) for name, path in places.xdg.items()})
    env["CLAUDE_CONFIG_DIR"] = str(places.config)
    env["CLAUDE_CODE_TMPDIR"] = env["TMPDIR"] = str(places.temporary)
    env["CLAUDE_CODE_SHELL"] = str(shell_path(context))
    if wrapped:
        env["CLAUDE_CODE_SHELL_PREFIX"] = str(places.wrapper)
    env["ANTHROPIC_BASE_URL"] = f"{context.gateway_url}/anthropic"
    env["ANTHROPIC_AUTH_TOKEN"] = context.key.reveal()
    env["PWD"] = context.session.cwd
    if os.geteuid() == 0 and asks_for_bypass(context.args):
        env["IS_SANDBOX"] = "1"
    return env


def state_files(context: LaunchContext) -> list[PlannedFile]:
    """What makes the folders that links point at, and the one for temporary files."""
    folders = [context.home / name for name in _LASTING]
    return [PlannedFile(str(folder / ".keep"), b"") for folder in (*folders, Places(context).temporary)]


def state_links(context: LaunchContext) -> list[PlannedLink]:
    """Links from the session's folder to what lasts."""
    config = Places(context).config
    return [PlannedLink(str(config / name), str(context.home / name)) for name in (*_LASTING, _TYPED)]


def shell_path(context: LaunchContext) -> Path:
    """Path of the script that runs its commands, named like the shell: Claude Code goes by that name."""
    return Places(context).bin / (_base(_shell(context.environ)) or _SHELLS[0])


def scripts(context: LaunchContext, env: dict[str, str]) -> list[PlannedFile]:
    """The scripts that give the user's own environment back: to the shell, and to a hook or an MCP server."""
    shell = shlex.quote(_shell(context.environ))
    head = ["#!/bin/sh"]
    for name in sorted({*env, "SHELL"}):
        before = context.environ.get(name)
        if name not in _LEFT_ALONE and (before != env.get(name) or name == "SHELL"):
            head.append(f"unset {name}" if before is None else f"export {name}={shlex.quote(before)}")
    ends = ((shell_path(context), f'exec {shell} "$@"'), (Places(context).wrapper, f'exec {shell} -c "$1"'))
    return [PlannedFile(str(path), "\n".join([*head, last, ""]).encode(), mode=0o700) for path, last in ends]


def _shell(environ: dict[str, str]) -> str:
    """The shell that Claude Code writes its commands for: the user's own bash or zsh, else one on PATH."""
    named = environ.get("SHELL", "")
    if _base(named) in _SHELLS and os.access(named, os.X_OK):
        return named
    for folder in environ.get("PATH", "").split(os.pathsep):
        candidate = os.path.join(folder, _SHELLS[0])  # noqa: PTH118
        if folder and os.access(candidate, os.X_OK):
            return candidate
    return "/bin/sh"


def _base(path: str) -> str:
    name = os.path.basename(path)  # noqa: PTH119
    return name if name in _SHELLS else ""
