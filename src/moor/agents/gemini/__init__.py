"""Gemini CLI: installed by moor, started on a home of the session's own, driven over the Agent Client Protocol.

Facts: gemini-cli.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from moor.agents.base import Extra, Installed, LaunchContext, Transfer, TransferContext
from moor.agents.gemini.arguments import REFUSED
from moor.agents.gemini.release import ID, PINNED, SETTINGS, find, recipe, version_note
from moor.domain.dialects import GEMINI_GENERATE
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

_SEES: Final = {
    "settings": "a filtered copy of settings.json: taste, and what narrows",
    "instructions": "GEMINI.md of the repository and of ~/.gemini",
    "skills": "those of ~/.gemini",
    "commands": "those of ~/.gemini and of the repository; of the repository's, those that run and read nothing",
    "agents": "none of the user's own",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "hooks of a trusted repository; no extensions",
    "history": "moor's own",
}


class Gemini:
    """The adapter."""

    id = ID
    display_name = "Gemini CLI"
    pinned_version = PINNED
    dialects = (GEMINI_GENERATE,)
    refused_commands = REFUSED
    sees = _SEES

    def traits(self, version: str) -> AgentTraits:
        """What was measured on 0.61.0. The headers are set by the start script."""
        return AgentTraits(
            user_agent=f"gemini-cli/{version}",
            session_header="x-moor-conversation",
            subagent_header="x-moor-subagent",
            side_models=(("gemini-*", "small"), ("gemma-*", "small")),
            fatal_status=dict(_STOPS_AT),
            # its reader stands still at a comment
            keepalive="blank-line",
        )

    def find(self, home: Home, environ: dict[str, str], *, use_path: bool = False) -> Installed:
        """The script to start. Raises AgentMissing, AgentNeeds, AgentVersionUnfit."""
        return find(home, environ, use_path=use_path)

    def version_note(self, version: str) -> str:
        """A sentence when that version was not tested; empty otherwise."""
        return version_note(version)

    def recipe(self, version: str | None = None) -> Recipe:
        """What is to be fetched for the pinned (or that) version."""
        return recipe(version)

    def plan(self, context: LaunchContext) -> LaunchPlan:
        """argv, environment and private files of a launch; reads files, writes none."""
        from moor.agents.gemini.plan import plan

        return plan(context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """MCP servers and hooks of the repository."""
        if not os.path.lexists(os.path.join(cwd, SETTINGS)):  # noqa: PTH118 - asked at each launch of any agent
            return ()
        from moor.agents.gemini.repo import read_repository

        return tuple(read_repository(cwd).extras)

    def driver(self, context: LaunchContext) -> Driver:
        """A driver of `gemini --acp`."""
        from moor.agents.acp import AcpDriver
        from moor.agents.gemini.acp import TRAITS

        return AcpDriver(context, TRAITS)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of the folder, as files."""
        from moor.agents.gemini.history import transfers

        return transfers(context)


GEMINI: Final = Gemini()
