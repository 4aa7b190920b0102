"""Hermes: installed from wheels, started on a private home, driven over ACP. Facts: hermes.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.agents.base import Extra, Installed, LaunchContext, Transfer, TransferContext
from moor.agents.hermes.arguments import REFUSED
from moor.agents.hermes.plugin import PARENT_HEADER, SESSION_HEADER
from moor.agents.hermes.release import ID, PINNED, find, recipe, version_note
from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
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
    "unreachable": 429,
    "bad-upstream": 429,
}
"""each stops it at once, as it is configured; at 429 it goes to its fallback first, where the user named one"""


SEES: Final = {
    "settings": "display, personalities, memory limits and tool output of config.yaml; no providers",
    "instructions": "AGENTS.md, HERMES.md and .cursorrules of the repository; SOUL.md of ~/.hermes",
    "skills": "a copy of those of ~/.hermes",
    "commands": "none: its quick commands start programs",
    "agents": "none: it has no files for them",
    "MCP servers": "none",
    "hooks and plugins": "plugins of a trusted repository",
    "history": "moor's own; moor session import brings yours. Memories are copied once and grow apart",
}


class Hermes:
    """The adapter."""

    id = ID
    display_name = "Hermes"
    pinned_version = PINNED
    dialects = (ANTHROPIC_MESSAGES, OPENAI_CHAT)
    refused_commands = REFUSED
    sees = SEES

    def traits(self, version: str) -> AgentTraits:
        """The headers are those of moor's plugin; by itself it sends none."""
        return AgentTraits(
            user_agent=f"hermes/{version}",
            session_header=SESSION_HEADER,
            parent_header=PARENT_HEADER,
            fatal_status=dict(_STOPS_AT),
        )

    def find(self, home: Home, environ: dict[str, str], *, use_path: bool = False) -> Installed:
        """The program to start. Raises AgentMissing, AgentVersionUnfit."""
        return find(home, environ, use_path=use_path)

    def version_note(self, version: str) -> str:
        """A sentence when that version was not tested; empty otherwise."""
        return version_note(version)

    def recipe(self, version: str | None = None) -> Recipe:
        """The pinned version by the lock that ships with moor, another one as the index has it."""
        return recipe(version)

    def plan(self, context: LaunchContext) -> LaunchPlan:
        """argv, environment and private files of a launch; reads files, writes none."""
        from moor.agents.hermes.plan import plan

        return plan(context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """Plugins of the repository."""
        from moor.agents.hermes.repo import read_plugins

        return read_plugins(cwd).items

    def driver(self, context: LaunchContext) -> Driver:
        """A driver of `hermes acp`."""
        from moor.agents.hermes.driver import HermesDriver

        return HermesDriver(context)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of the folder, carried by Hermes' own export and import."""
        from moor.agents.hermes.history import transfers

        return transfers(context)


HERMES: Final = Hermes()
