"""Parts of an OpenCode config that are data, kept; parts that start, fetch, reroute or choose, left out and named.

What is kept is checked by form, because OpenCode refuses to start on a wrong one. Keys: facts/opencode 4.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from moor.agents.opencode.permission import Rules, parse
from moor.domain.plan import LeftOut

MODEL: Final = "moor chooses the models"
REROUTES: Final = "model calls pass the gateway only"
STARTS: Final = "it starts programs or fetches code"
DECIDED: Final = "moor decides that"
SUBSTITUTES: Final = "values of variables and files are not put in"
SHELL_EXPANSION: Final = "it would run a command when the text is expanded; the command stays as text"
WRONG: Final = "its form is not understood"
NETWORK: Final = "it is fetched from the network"
WIDENS: Final = "a repository's rules may only narrow"

_LEFT: Final = {
    **dict.fromkeys(("model", "small_model"), MODEL),
    **dict.fromkeys(("provider", "enabled_providers", "disabled_providers", "enterprise"), REROUTES),
    **dict.fromkeys(("plugin", "mcp", "lsp", "formatter", "shell", "references", "reference", "server"), STARTS),
    **dict.fromkeys(("share", "autoshare", "autoupdate"), DECIDED),
}
_AGENT_FIELDS: Final[dict[str, Any]] = {
    "description": str,
    "mode": str,
    "prompt": str,
    "temperature": (int, float),
    "top_p": (int, float),
    "steps": int,
    "maxSteps": int,
    "hidden": bool,
    "disable": bool,
    "color": str,
}
_MODES: Final = ("subagent", "primary", "all")
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}|primary|secondary|accent|success|warning|error|info")
_SUBSTITUTION: Final = re.compile(r"\{(?:env|file):")
_SHELL: Final = re.compile(r"!(`[^`]+`)")
_TEXT_MAX: Final = 64 * 1024

Outside = Callable[[str], bool]
"""whether a path that a text names with `@` lies outside of what may be read"""


class Taken(msgspec.Struct, kw_only=True):
    """What was taken over of one source or several, and what was not."""

    agents: dict[str, dict[str, Any]] = {}
    """without their permissions"""
    agent_rules: dict[str, dict[str, Rules]] = {}
    commands: dict[str, dict[str, Any]] = {}
    rules: dict[str, Rules] = {}
    """permissions for all agents"""
    instructions: list[str] = []
    """absolute paths of files"""
    settings: dict[str, Any] = {}
    """other keys of the user's own"""
    left_out: list[LeftOut] = []

    def leave(self, what: str, where: str, why: str) -> None:
        """Name something that is not passed on."""
        item = LeftOut(what, where, why)
        if item not in self.left_out:
            self.left_out.append(item)


class Sieve:
    """Takes parts of one file. `where`: the file, as a person would name it."""

    def __init__(self, taken: Taken, where: str, outside: Outside | None = None) -> None:
        self.taken = taken
        self.where = where
        self._outside = outside

    def config(self, config: dict[str, Any], kept: frozenset[str]) -> None:
        """The keys of a config file; `kept` names those that the caller takes itself."""
        for name, value in config.items():
            if name in _LEFT:
                self._left_whole(name, value)
            elif name in ("agent", "mode"):
                self._each(name, value, self.agent)
            elif name == "command":
                self._each(name, value, self.command)
            elif name in ("permission", "tools"):
                self.permission(name, value)
            elif name not in kept and name != "$schema":
                self.taken.leave(name, self.where, DECIDED)

    def agent(self, name: str, given: dict[str, Any]) -> None:
        """One agent: its text and its limits; no model, no options for a model."""
        agent: dict[str, Any] = {}
        for field, value in given.items():
            label = f"agent.{name}.{field}"
            if field == "permission":
                self._agent_rules(name, value)
            elif field == "tools":
                self._agent_rules(name, self._tools(value, label))
            elif field in ("model", "variant"):
                self.taken.leave(label, self.where, MODEL)
            elif field not in _AGENT_FIELDS:
                self.taken.leave(label, self.where, DECIDED)
            elif not _fits(field, value):
                self.taken.leave(label, self.where, WRONG)
            elif self.plain(label, value):
                agent[field] = value
        self.taken.agents[name] = {**self.taken.agents.get(name, {}), **agent}

    def command(self, name: str, given: dict[str, Any]) -> None:
        """One slash command: its template, with what would run or reach outside turned into plain text."""
        template = given.get("template")
        if not isinstance(template, str) or len(template) > _TEXT_MAX:
            self.taken.leave(f"command.{name}", self.where, WRONG)
            return
        if not self.plain(f"command.{name}.template", template):
            return
        command: dict[str, Any] = {"template": self._defused(name, template)}
        for field, kind in (("description", str), ("agent", str), ("subtask", bool)):
            if isinstance(given.get(field), kind) and self.plain(f"command.{name}.{field}", given[field]):
                command[field] = given[field]
        if "model" in given:
            self.taken.leave(f"command.{name}.model", self.where, MODEL)
        self.taken.commands[name] = command

    def permission(self, name: str, value: Any) -> None:
        """Rules for all agents; later files are laid over earlier ones."""
        rules = self._tools(value, name) if name == "tools" else value
        for tool, of_tool in self._parsed(name, rules).items():
            self.taken.rules[tool] = [*self.taken.rules.get(tool, []), *of_tool]

    def plain(self, label: str, value: Any) -> bool:
        """Whether nothing would be substituted in it; else it is named."""
        if isinstance(value, str) and _SUBSTITUTION.search(value):
            self.taken.leave(label, self.where, SUBSTITUTES)
            return False
        return True

    def _agent_rules(self, name: str, value: Any) -> None:
        mine = self.taken.agent_rules.setdefault(name, {})
        for tool, of_tool in self._parsed(f"agent.{name}.permission", value).items():
            mine[tool] = [*mine.get(tool, []), *of_tool]

    def _parsed(self, label: str, value: Any) -> dict[str, Rules]:
        try:
            return parse(value)
        except ValueError:
            self.taken.leave(label, self.where, WRONG)
            return {}

    def _tools(self, value: Any, label: str) -> dict[str, str]:
        """The old form: false switches a tool off; true means nothing."""
        if not isinstance(value, dict):
            self.taken.leave(label, self.where, WRONG)
            return {}
        names = {"write": "edit", "patch": "edit", "multiedit": "edit"}
        return {names.get(str(tool), str(tool)): "deny" for tool, on in value.items() if on is False}

    def _defused(self, name: str, template: str) -> str:
        for found in _SHELL.findall(template):
            self.taken.leave(f"command.{name} !{found}", self.where, SHELL_EXPANSION)
        text = _SHELL.sub(r"\1", template)
        if self._outside is None:
            return text
        outside = self._outside

        def plain(found: re.Match[str]) -> str:
            if not outside(found.group(1)):
                return found.group()
            self.taken.leave(f"command.{name} {found.group()}", self.where, "it lies outside of the repository")
            return found.group(1)

        return re.sub(r"(?<![\w`])@(\.?[^\s`,.]*(?:\.[^\s`,.]+)*)", plain, text)

    def _each(self, name: str, value: Any, take: Callable[[str, dict[str, Any]], None]) -> None:
        if not isinstance(value, dict):
            self.taken.leave(name, self.where, WRONG)
            return
        for key, entry in value.items():
            if isinstance(entry, dict):
                take(str(key), entry)
            else:
                self.taken.leave(f"{name}.{key}", self.where, WRONG)

    def _left_whole(self, name: str, value: Any) -> None:
        """Entries are named one by one where there are some: `mcp.tools`."""
        names = [f"{name}.{key}" for key in value] if isinstance(value, dict) and value else [name]
        for one in names[:20]:
            self.taken.leave(one, self.where, _LEFT[name])


def _fits(field: str, value: Any) -> bool:
    kind = _AGENT_FIELDS[field]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return False
    if isinstance(value, str):
        forms = {"mode": value in _MODES, "color": bool(_COLOR.fullmatch(value))}
        return forms.get(field, len(value) <= _TEXT_MAX)
    return field not in ("steps", "maxSteps") or value > 0
