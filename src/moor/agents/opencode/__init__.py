"""OpenCode: installed by moor, started on a private home, driven over its own server. Facts: opencode.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.agents.base import Extra, Installed, LaunchContext, Transfer, TransferContext
from moor.agents.opencode.arguments import REFUSED
from moor.agents.opencode.history import SEES
from moor.agents.opencode.release import ID, PINNED, find, recipe, version_note
from moor.domain.dialects import DIALECTS
from moor.domain.plan import LaunchPlan
from moor.domain.session import AgentTraits

if TYPE_CHECKING:
    from moor.agents.base import Driver
    from moor.agents.recipe import Recipe
    from moor.store.home import Home

_STOPS_AT: Final = {
    "sign-in": 401,
    "forbidden-model": 403,
    "budget": 403,
    "bad-request": 400,
    "unreachable": 400,
    "bad-upstream": 400,
}
"""400, 401, 403, 404 are not repeated; from 500 on every status is, five times with growing pauses (facts, 9)"""


class OpenCode:
    """The adapter."""

    id = ID
    display_name = "OpenCode"
    pinned_version = PINNED
    dialects = DIALECTS
    refused_commands = REFUSED
    sees = SEES

    def traits(self, version: str) -> AgentTraits:
        """Status table and headers of facts/opencode 8.1 and 9."""
        return AgentTraits(
            user_agent=f"opencode/{version}",
            session_header="x-session-id",
            parent_header="x-parent-session-id",
            fatal_status=dict(_STOPS_AT),
            repeats_at_numbers=True,
        )

    def find(self, home: Home, environ: dict[str, str], *, use_path: bool = False) -> Installed:
        """The program to start. Raises AgentMissing, AgentVersionUnfit."""
        return find(home, environ, use_path=use_path)

    def version_note(self, version: str) -> str:
        """A sentence when that version was not tested; empty otherwise."""
        return version_note(version)

    def recipe(self, version: str | None = None) -> Recipe:
        """What to fetch for the pinned (or that) version on this machine. Raises AgentInstallFailed."""
        from moor.agents.platform import this_machine

        return recipe(this_machine(), version)

    def plan(self, context: LaunchContext) -> LaunchPlan:
        """argv, environment and private files of a launch; reads files, writes none."""
        from moor.agents.opencode.plan import plan

        return plan(context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """Plugins, MCP servers, language servers and formatters of the repository."""
        from moor.agents.opencode.extras import read_extras

        return read_extras(cwd).items

    def driver(self, context: LaunchContext) -> Driver:
        """A driver of `opencode serve`."""
        from moor.agents.opencode.driver import OpenCodeDriver

        return OpenCodeDriver(context)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of the folder, carried by OpenCode's own export and import."""
        from moor.agents.opencode.history import transfers

        return transfers(context)


OPENCODE: Final = OpenCode()
