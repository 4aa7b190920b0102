"""The user's own arguments to a described agent: verbatim, but for what its description refuses, and for models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.agents.base import split_at_dashes
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.domain.settings import AgentSettings


class Arguments:
    """`models`: id to the name the agent uses for it."""

    def __init__(self, agent: str, group: AgentSettings, models: Mapping[str, str]) -> None:
        self._agent = agent
        self._group = group
        self._models = models
        self._model_flags = tuple(group.model_flag.split())
        self._takes_value = {*group.value_flags, *self._model_flags}

    def checked(self, args: tuple[str, ...]) -> list[str]:
        """The arguments to start with. Raises AgentCommandRefused, AgentModelUnknown."""
        own, behind = split_at_dashes(args)
        out: list[str] = []
        flag, looking = "", True
        for arg in own:
            if flag in self._takes_value:
                out.append(self._model(arg) if flag in self._model_flags else arg)
                flag = ""
            elif arg.startswith("-") and len(arg) > 1:
                flag = self._flag(arg, out)
            else:
                # after an option that is not known to take a value it may be either: the value, or the sub-command
                self._refuse(arg if looking else "")
                looking = looking and bool(flag)
                out.append(arg)
                flag = ""
        return [*out, *behind]

    def _flag(self, arg: str, out: list[str]) -> str:
        """Appends the option; returns its name where its value may come next."""
        name, equals, value = arg.partition("=")
        for flag in self._model_flags:
            if len(flag) == 2 and arg.startswith(flag) and len(arg) > 2 and not arg.startswith("--"):
                name, equals, value = flag, "=", arg[2:].removeprefix("=")
        self._refuse(name)
        if not equals:
            out.append(arg)
            return name
        out += [name, self._model(value)] if name in self._model_flags else [arg]
        return ""

    def _refuse(self, word: str) -> None:
        if why := self._group.refused.get(word, ""):
            raise AgentCommandRefused(agent=self._agent, what=word, why=why)

    def _model(self, given: str) -> str:
        for model_id, name in self._models.items():
            if given in (model_id, name):
                return name
        raise AgentModelUnknown(agent=self._agent, model=given, allowed=tuple(self._models))
