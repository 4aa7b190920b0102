"""The adapter of an agent that is described as data (`[agents.NAME]`, or a file that ships with moor)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.base import SEES, Extra, Installed, LaunchContext, Transfer, TransferContext
from moor.agents.described.program import Program
from moor.agents.found import version_note
from moor.domain.plan import LaunchPlan
from moor.domain.session import AgentTraits
from moor.errors.agent import AgentNotHeadless

if TYPE_CHECKING:
    from moor.agents.base import Driver
    from moor.agents.platform import Machine
    from moor.agents.recipe import Recipe
    from moor.domain.settings import AgentSettings
    from moor.store.home import Home

_STOPS_AT: Final = {
    "sign-in": 401,
    "forbidden-model": 403,
    "budget": 403,
    "bad-request": 400,
    "unreachable": 400,
    "bad-upstream": 400,
}
"""what clients of model APIs commonly do not repeat; a description states what was measured"""
_UNSTATED: Final = "as it does by itself"


class DescribedAgent:
    """One description at work. `folder`: where its lock lies."""

    def __init__(
        self, name: str, group: AgentSettings, folder: Path | None = None, machine: Machine | None = None
    ) -> None:
        self.id = name
        self.group = group
        self.display_name = group.title or name
        self._program = Program(name, group, folder or Path.home(), machine)
        self.pinned_version = self._program.pinned
        self.dialects = group.dialects
        self.refused_commands = group.refused
        self.sees = {row: group.sees.get(row, _UNSTATED) for row in SEES}

    def traits(self, version: str) -> AgentTraits:
        """What the description says of it."""
        group = self.group
        return AgentTraits(
            user_agent=f"{self.id}/{version}",
            session_header=group.session_header,
            parent_header=group.parent_header,
            subagent_header=group.subagent_header,
            side_models=tuple(group.side_models.items()),
            fatal_status={**_STOPS_AT, **group.fatal_status},
            repeats_at_numbers=group.repeats_at_numbers,
            keepalive=group.keepalive or AgentTraits().keepalive,
        )

    def find(self, home: Home, environ: dict[str, str], *, use_path: bool = False) -> Installed:
        """The program to start. Raises AgentMissing, AgentProgramMissing, AgentVersionUnfit."""
        return self._program.find(home, environ, use_path=use_path)

    def version_note(self, version: str) -> str:
        """A sentence when that version was not tested; empty otherwise, and for a program of the user's own."""
        return version_note(self._program.window, version) if self.group.install else ""

    def recipe(self, version: str | None = None) -> Recipe:
        """What is fetched for the pinned (or that) version. Raises AgentInstallFailed."""
        return self._program.recipe(version)

    def plan(self, context: LaunchContext) -> LaunchPlan:
        """argv, environment and private files of a launch; reads files, writes none."""
        from moor.agents.described.plan import plan

        return plan(self.id, self.group, self._program, context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """What the description says that a repository would start."""
        if not self.group.repository:
            return ()
        from moor.agents.described.folders import extras

        return extras(cwd, self.display_name, self.group.repository)

    def driver(self, context: LaunchContext) -> Driver:
        """The Agent Client Protocol where it speaks that, else one process a prompt. Raises AgentNotHeadless."""
        if self.group.acp:
            from moor.agents.acp import AcpDriver
            from moor.agents.described.calls import acp_traits

            return AcpDriver(context, acp_traits(self.id, self.group))
        if not self.group.headless:
            raise AgentNotHeadless(agent=self.id)
        from moor.agents.described.plain import PlainDriver

        return PlainDriver(self.id, asks=self.group.asks)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:  # noqa: ARG002 - the protocol's
        """None: a description does not say how its conversations are carried."""
        return ()
