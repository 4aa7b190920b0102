"""The user's own arguments to Gemini CLI: passed on verbatim, but for those that would leave the wire.

Its parser (yargs) takes `--name value`, `--name=value`, `-nvalue`, letters in one word (`-ym x`) and `--otherName`
for `--other-name`.
"""

from __future__ import annotations

import re
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.gemini.models import ALIASES, NAMES, slots
from moor.agents.gemini.release import ID
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

_EXTENSION: Final = "extensions bring programs and settings along; moor trust lets MCP servers and hooks in"
_OWN: Final = "moor run drives it without a terminal; moor run --agent gemini"
_ELSEWHERE: Final = "it would run where the gateway cannot be reached; moor gemini"

REFUSED: Final = {
    "mcp": "MCP servers of your own settings are not loaded; moor trust lets those of a repository in",
    "extensions": _EXTENSION,
    "extension": _EXTENSION,
    "skills": "what it installs would end with the session; put skills into ~/.gemini/skills",
    "skill": "what it installs would end with the session; put skills into ~/.gemini/skills",
    "hooks": "hooks of your own settings are not loaded; moor trust lets those of a repository in",
    "hook": "hooks of your own settings are not loaded; moor trust lets those of a repository in",
    "gemma": "it would route calls past the gateway; moor models",
}

_REFUSED_FLAGS: Final = {
    "--acp": _OWN,
    "--experimental-acp": _OWN,
    "--extensions": _EXTENSION,
    "--list-extensions": _EXTENSION,
    "--sandbox": _ELSEWHERE,
    "--worktree": "a session belongs to one folder; git worktree add, then moor gemini there",
    "--fake-responses": "answers come from a model; moor sim plays one",
    "--fake-responses-non-strict": "answers come from a model; moor sim plays one",
    "--record-responses": "it would write answers beside the journal; moor sessions",
    "--proxy": "model calls pass the gateway only; moor gemini",
}
_SHORT: Final = {"m": "--model", "e": "--extensions", "l": "--list-extensions", "s": "--sandbox", "w": "--worktree"}
_MODEL: Final = "--model"
_VALUES: Final = frozenset(
    {_MODEL, "--prompt", "--prompt-interactive", "--approval-mode", "--policy", "--admin-policy", "--resume"}
    | {"--allowed-mcp-server-names", "--allowed-tools", "--session-file", "--session-id", "--delete-session"}
    | {"--include-directories", "--output-format", "-p", "-i", "-r", "-o"}
)
_CAMEL: Final = re.compile(r"(?<=[a-z])([A-Z])")
_CLUSTER: Final = re.compile(r"-[a-zA-Z]{2,}$")


def checked(context: LaunchContext) -> list[str]:
    """The arguments to start it with, its model among them. Raises AgentCommandRefused, AgentModelUnknown."""
    reader = _Reader(context)
    for arg in context.args:
        reader.take(arg)
    named = [] if reader.model_named else [_MODEL, context.model.id]
    return [*named, *reader.out]


class _Reader:
    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self._waiting = ""
        self._command = False
        self._plain = False
        self.out: list[str] = []
        self.model_named = False

    def take(self, arg: str) -> None:
        """One argument."""
        is_option = arg.startswith("-") and len(arg) > 1
        if self._plain:
            self.out.append(arg)
        elif self._waiting and not is_option:
            name, self._waiting = self._waiting, ""
            self.out.append(self._model(arg) if name == _MODEL else arg)
        elif arg == "--":
            self._plain = True
            self.out.append(arg)
        elif is_option:
            self._flag(arg)
        else:
            self._word(arg)

    def _word(self, arg: str) -> None:
        if not self._command and arg in REFUSED:
            raise AgentCommandRefused(agent=ID, what=arg, why=REFUSED[arg])
        self._command = True
        self.out.append(arg)

    def _flag(self, arg: str) -> None:
        name, equals, value = _split(arg)
        self._waiting = ""
        if name in _REFUSED_FLAGS:
            raise AgentCommandRefused(agent=ID, what=arg.partition("=")[0], why=_REFUSED_FLAGS[name])
        if name == _MODEL:
            self.model_named = True
            self.out.append(_MODEL if not equals else f"{_MODEL}={self._model(value)}")
            self._waiting = "" if equals else _MODEL
            return
        self.out.append(arg)
        self._waiting = name if name in _VALUES and not equals else ""

    def _model(self, value: str) -> str:
        """The id of an allowed model, or what one of its own four words stands for."""
        if value in ALIASES:
            return slots(self._context)[NAMES[value]].id
        allowed = tuple(model.id for model in self._context.models)
        if value not in allowed:
            raise AgentModelUnknown(agent=ID, model=value, allowed=allowed)
        return value


def _split(arg: str) -> tuple[str, str, str]:
    """Long name, `=` where the value is joined, that value. Raises AgentCommandRefused for letters that hide one."""
    name, equals, value = arg.partition("=")
    if name.startswith("--"):
        return _CAMEL.sub(r"-\1", name).lower(), equals, value
    if not equals and _CLUSTER.match(arg) and arg[1] not in "pimro":
        for letter in arg[1:]:
            if letter in _SHORT:
                raise AgentCommandRefused(
                    agent=ID, what=arg, why=f"several letters in one word; write -{letter} alone"
                )
        return arg, "", ""
    if not equals and len(arg) > 2 and arg[1] in "pimro":
        return _SHORT.get(arg[1], arg[:2]), "=", arg[2:]
    return _SHORT.get(name[1:], name), equals, value
