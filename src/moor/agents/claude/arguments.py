"""The user's own arguments to Claude Code: passed on verbatim, but for those that would leave the wire.

Options and commands of 2.1.197, the hidden ones included (`--help` lists about half of them).
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.claude.models import ALIASES, families, resolved
from moor.agents.claude.release import ID
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

_INSTALLED: Final = "moor installs it and knows which versions work; moor agents install claude"
_SIGNED_IN: Final = "credentials stay in moor, the agent has none; moor login"
_CLOUD: Final = "it runs on another company's machines, off the gateway; moor claude"
_BACKGROUND: Final = "it would go on without a terminal and without this session's gateway; moor run"
_SETTINGS: Final = "settings decide where model calls go; moor config set agents.claude.NAME VALUE"
_PROGRAMS: Final = "it starts programs that nobody vouched for; moor trust lets those of a repository in"

REFUSED: Final = {
    "install": _INSTALLED,
    "update": _INSTALLED,
    "upgrade": _INSTALLED,
    "doctor": "it looks at an installation of its own; moor agents",
    "auth": _SIGNED_IN,
    "setup-token": _SIGNED_IN,
    "login": _SIGNED_IN,
    "logout": _SIGNED_IN,
    "mcp": _PROGRAMS,
    "plugin": _PROGRAMS,
    "plugins": _PROGRAMS,
    "gateway": "moor has the gateway; moor gateway",
    "agents": _BACKGROUND,
    "remote-control": _CLOUD,
    "rc": _CLOUD,
    "ultrareview": _CLOUD,
    "import-conversations": "it takes what another installation wrote; moor session import",
}
_REFUSED_FLAGS: Final = {
    **dict.fromkeys(("--settings", "--setting-sources", "--managed-settings"), _SETTINGS),
    **dict.fromkeys(("--mcp-config", "--plugin-dir", "--plugin-dir-no-mcp", "--plugin-url"), _PROGRAMS),
    **dict.fromkeys(("--channels", "--dangerously-load-development-channels", "--permission-prompt-tool"), _PROGRAMS),
    **dict.fromkeys(("--bg", "--background", "--tmux", "--teammate-mode"), _BACKGROUND),
    **dict.fromkeys(("--remote", "--cloud", "--teleport", "--remote-control", "--rc", "--cowork"), _CLOUD),
    **dict.fromkeys(("--sdk-url", "--file", "--session-mirror", "--chrome", "--ide"), _CLOUD),
    "--betas": "the gateway decides what the workspace takes; leave it out",
    "--remote-control-session-name-prefix": _CLOUD,
}
_DROPPED: Final = frozenset({"--strict-mcp-config", "--no-chrome"})
"""already so"""
_MODEL_FLAGS: Final = frozenset({"--model", "--advisor"})
_FALLBACK: Final = "--fallback-model"
_AGENTS: Final = "--agents"
_ONE: Final = frozenset(
    {"--agent", "--append-system-prompt", "--append-system-prompt-file", "--debug-file", "--effort"}
    | {"--input-format", "--json-schema", "--max-budget-usd", "-n", "--name", "--output-format", "--permission-mode"}
    | {"--session-id", "--system-prompt", "--system-prompt-file", "--max-turns", "--max-thinking-tokens"}
    | {"--thinking", "--thinking-display", "--task-budget", "--workload", "--prefill", "--resume-session-at"}
    | {"--rewind-files", "--plan-mode-instructions", "--agent-id", "--agent-name", "--agent-type", "--agent-color"}
    | {"--team-name", "--parent-session-id", _FALLBACK, _AGENTS, *_MODEL_FLAGS}
)
_SOME: Final = frozenset(
    {"--add-dir", "--allowedTools", "--allowed-tools", "--disallowedTools", "--disallowed-tools", "--tools"}
)
"""take values up to the next option"""
_MAYBE: Final = frozenset(
    {"-r", "--resume", "-d", "--debug", "--from-pr", "-w", "--worktree", "--prompt-suggestions"}
)
_BYPASS: Final = frozenset({"--dangerously-skip-permissions", "--allow-dangerously-skip-permissions"})
_CODE_OF_AGENTS: Final = ("hooks", "mcpServers")


def checked(context: LaunchContext) -> list[str]:
    """The arguments to start Claude Code with. Raises AgentCommandRefused, AgentModelUnknown."""
    return _Reader(context).read(list(context.args))


def asks_for_bypass(args: tuple[str, ...]) -> bool:
    """Whether every permission check is to be left out; it refuses that to root unless told that it is contained."""
    mode = "--permission-mode=bypassPermissions"
    pairs = [f"{one}={two}" for one, two in pairwise(args)]
    return any(arg in _BYPASS or arg == mode for arg in args) or mode in pairs


class _Reader:
    def __init__(self, context: LaunchContext) -> None:
        self._models = context.models
        self._families = families(context)
        self._out: list[str] = []

    def read(self, args: list[str]) -> list[str]:
        words = 0
        while args:
            arg = args.pop(0)
            if arg == "--":
                self._out += [arg, *args]
                break
            if arg.startswith("-") and arg != "-":
                self._flag(arg, args)
                continue
            if not words and arg in REFUSED:
                raise AgentCommandRefused(agent=ID, what=arg, why=REFUSED[arg])
            words += 1
            self._out.append(arg)
        return self._out

    def _flag(self, arg: str, rest: list[str]) -> None:
        name, equals, value = arg.partition("=")
        if name in _REFUSED_FLAGS:
            raise AgentCommandRefused(agent=ID, what=name, why=_REFUSED_FLAGS[name])
        if name in _DROPPED:
            return
        if equals and name in _ONE:
            self._out.append(f"{name}={self._value(name, value)}")
            return
        self._out.append(arg)
        if equals or not rest:
            return
        if name in _ONE:
            self._out.append(self._value(name, rest.pop(0)))
        elif name in _SOME or (name in _MAYBE and not rest[0].startswith("-")):
            while rest and not rest[0].startswith("-"):
                self._out.append(rest.pop(0))
                if name in _MAYBE:
                    break

    def _value(self, name: str, value: str) -> str:
        if name in _MODEL_FLAGS:
            return self._model(value)
        if name == _FALLBACK:
            return ",".join(self._model(part.strip()) for part in value.split(","))
        if name == _AGENTS:
            return self._agents(value)
        return value

    def _model(self, name: str) -> str:
        found = resolved(name, self._models, self._families)
        if found is None:
            allowed = (*(model.id for model in self._models), *ALIASES)
            raise AgentModelUnknown(agent=ID, model=name, allowed=allowed)
        return found

    def _agents(self, text: str) -> str:
        """Definitions of sub-agents: without programs, and on models that may be called."""
        try:
            value = json.loads(text)
        except ValueError:
            return text  # its own words are better than ours
        for name, agent in value.items() if isinstance(value, dict) else ():
            self._one_agent(name, agent)
        return text

    def _one_agent(self, name: str, agent: Any) -> None:
        if not isinstance(agent, dict):
            return
        for key in _CODE_OF_AGENTS:
            if agent.get(key):
                raise AgentCommandRefused(agent=ID, what=f"{_AGENTS} ({name}.{key})", why=_PROGRAMS)
        if isinstance(agent.get("model"), str) and agent["model"] != "inherit":
            self._model(agent["model"])
