"""Codex: installed by moor, started on a home of its own, driven over its app-server. Facts: codex.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.agents.codex.arguments import REFUSED
from moor.agents.codex.history import SEES
from moor.agents.codex.release import ID, PINNED, find, recipe, version_note
from moor.domain.dialects import OPENAI_RESPONSES
from moor.domain.session import AgentTraits

if TYPE_CHECKING:
    from moor.agents.base import Driver, Extra, Installed, LaunchContext, Transfer, TransferContext
    from moor.agents.recipe import Recipe
    from moor.domain.plan import LaunchPlan
    from moor.store.home import Home

_STOPS_AT: Final = dict.fromkeys(
    ("sign-in", "forbidden-model", "budget", "bad-request", "unreachable", "bad-upstream"), 400
)
"""400 alone stops Codex at once; it asks again after 401, 403, 404, 429 and everything from 500 on (facts, 5)"""


class Codex:
    """The adapter."""

    id = ID
    display_name = "Codex"
    pinned_version = PINNED
    dialects = (OPENAI_RESPONSES,)
    refused_commands = REFUSED
    sees = SEES

    def traits(self, version: str) -> AgentTraits:
        """Headers as 0.169.0 sends them; `codex-auto-review` judges approvals where a user's settings say so."""
        return AgentTraits(
            user_agent=f"codex/{version}",
            session_header="thread-id",
            parent_header="x-codex-parent-thread-id",
            subagent_header="x-openai-subagent",
            side_models=(("codex-auto-review", "main"),),
            listing=ID,
            fatal_status=dict(_STOPS_AT),
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
        from moor.agents.codex.plan import plan

        return plan(context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """MCP servers and hooks of the repository."""
        from moor.agents.codex.extras import read_extras

        return read_extras(cwd).items

    def driver(self, context: LaunchContext) -> Driver:
        """A driver of `codex app-server`."""
        from moor.agents.codex.driver import CodexDriver

        return CodexDriver(context)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of the folder."""
        from moor.agents.codex.history import transfers

        return transfers(context)


CODEX: Final = Codex()
