"""Agents, commands and skills in markdown: kept as text, without what would start programs or choose a model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from moor.agents import frontmatter
from moor.agents.claude.models import resolved
from moor.domain.models import Model
from moor.domain.plan import LeftOut

STARTS: Final = "it starts programs or fetches code"
MODEL: Final = "moor chooses the models"
DECIDED: Final = "moor decides that"
REROUTES: Final = "model calls pass the gateway only"
WIDENS: Final = "a repository's rules may only narrow"
WRONG: Final = "its form is not understood"
SHELL: Final = "it would run a command when the text is expanded; the command stays as text"
OUTSIDE: Final = "it lies outside of the repository"

_AGENT: Final = frozenset(
    {
        "name",
        "description",
        "tools",
        "disallowedTools",
        "color",
        "maxTurns",
        "skills",
        "effort",
        "background",
        "memory",
    }
)
_COMMAND: Final = frozenset(
    {"name", "description", "argument-hint", "arguments", "disable-model-invocation", "user-invocable", "when_to_use"}
    | {"version", "license", "metadata", "paths", "context", "agent", "effort"}
)
_ALLOWED_TOOLS: Final = "allowed-tools"
_NAME: Final = "model"
_SHELL: Final = re.compile(r"!(`[^`\n]+`)")
_SHELL_BLOCK: Final = re.compile(r"^(\s*`{3,})!", re.MULTILINE)
_MENTION: Final = re.compile(r"(?<![\w`])@(~?[\w./-][^\s`,;:!?)\]}'\"]*)")

Outside = Callable[[str], bool]
"""whether a path that a text names with `@` lies outside of what may be read"""


class Shelf(msgspec.Struct, kw_only=True):
    """What is handed over in the private home: path below it to content; and what is not."""

    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    """path below the private home to an absolute path that it points at"""
    left_out: list[LeftOut] = []

    def leave(self, what: str, where: str, why: str) -> None:
        """Name something that is not passed on."""
        item = LeftOut(what, where, why)
        if item not in self.left_out:
            self.left_out.append(item)


class Sieve:
    """Filters the texts of one owner. `outside`: set for a repository, whose texts run nothing and widen nothing."""

    def __init__(
        self, shelf: Shelf, models: tuple[Model, ...], outside: Outside | None = None, *, trusted: bool = False
    ) -> None:
        self.shelf = shelf
        self._models = models
        self._outside = None if trusted else outside
        self._code = trusted

    def agent(self, text: str, where: str) -> bytes | None:
        """A sub-agent's file; None when it cannot be read."""
        return self._filtered(text, where, _AGENT, defuse=False)

    def command(self, text: str, where: str) -> bytes | None:
        """A slash command's file or a skill's SKILL.md; None when it cannot be read."""
        keys = _COMMAND if self._outside is not None else _COMMAND | {_ALLOWED_TOOLS}
        return self._filtered(text, where, keys | {"hooks"} if self._code else keys, defuse=True)

    def _filtered(self, text: str, where: str, keys: frozenset[str], *, defuse: bool) -> bytes | None:
        try:
            head, body = frontmatter.split(text)
        except ValueError as error:
            self.shelf.leave("the whole file", where, f"its head cannot be read: {error}")
            return None
        kept = {name: value for name, value in head.items() if name in keys}
        if (model := self._model(head.get(_NAME), where)) is not None:
            kept[_NAME] = model
        for name in head.keys() - keys - {_NAME}:
            self.shelf.leave(name, where, _why(name))
        return render(kept, self._defused(body, where) if defuse else body)

    def _model(self, value: Any, where: str) -> str | None:
        if value is None:
            return None
        name = resolved(str(value), self._models) if value != "inherit" else "inherit"
        if name is None:
            self.shelf.leave(f"{_NAME} {value}", where, MODEL)
        return name

    def _defused(self, body: str, where: str) -> str:
        if self._outside is None:
            return body
        if _SHELL.search(body) or _SHELL_BLOCK.search(body):
            self.shelf.leave("!`command`", where, SHELL)
        body = _SHELL_BLOCK.sub(r"\1", _SHELL.sub(r"\1", body))
        return mentions_inside(body, self._outside, lambda path: self.shelf.leave(f"@{path}", where, OUTSIDE))


def mentions_inside(text: str, outside: Outside, leave: Callable[[str], None]) -> str:
    """The text with every `@path` that leads outside turned into code, which Claude Code does not follow."""

    def plain(found: re.Match[str]) -> str:
        if not outside(found.group(1)):
            return found.group()
        leave(found.group(1))
        return f"`{found.group(1)}`"

    return _MENTION.sub(plain, text)


def render(head: dict[str, Any], body: str) -> bytes:
    """A markdown file; values of the head as JSON, which is YAML too."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    return ("---\n" + "\n".join(lines) + "\n---\n" + body).encode() if lines else body.encode()


def _why(name: str) -> str:
    if name in ("hooks", "mcpServers", "shell"):
        return STARTS
    return WIDENS if name in (_ALLOWED_TOOLS, "permissionMode") else DECIDED
