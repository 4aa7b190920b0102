"""Claude Code: installed by moor, started on a private home, driven over its own stdio protocol.

Facts: claude-code.md. Its settings of the project are never loaded (`--setting-sources user`): a base URL, hooks and
commands stand there. What is harmless of them is read by moor and handed over in files of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.agents.base import Extra, Installed, LaunchContext, Transfer, TransferContext
from moor.agents.claude.arguments import REFUSED
from moor.agents.claude.history import SEES
from moor.agents.claude.release import ID, PINNED, find, recipe, version_note
from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.plan import LaunchPlan
from moor.domain.session import AgentTraits

if TYPE_CHECKING:
    from moor.agents.base import Driver
    from moor.agents.recipe import Recipe
    from moor.store.home import Home

_STOPS_AT: Final = {
    "sign-in": 403,
    "forbidden-model": 400,
    "budget": 400,
    "bad-request": 400,
    "unreachable": 400,
    "bad-upstream": 400,
}
"""400 and 403 are not repeated and their message is shown, 403's behind the words "Failed to authenticate"; 401 is
repeated like a 500 in some set-ups, 404 is asked once more and shown as a fault of the model's name (facts, 7)"""


class ClaudeCode:
    """The adapter."""

    id = ID
    display_name = "Claude Code"
    pinned_version = PINNED
    dialects = (ANTHROPIC_MESSAGES,)
    refused_commands = REFUSED
    sees = SEES

    def traits(self, version: str) -> AgentTraits:
        """Status table of facts 7; headers as 2.1.197 sends them."""
        return AgentTraits(
            user_agent=f"claude-cli/{version}",
            session_header="x-claude-code-session-id",
            parent_header="x-claude-code-parent-agent-id",
            subagent_header="x-claude-code-agent-id",
            fatal_status=dict(_STOPS_AT),
            keepalive="ping",
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
        from moor.agents.claude.plan import plan

        return plan(context)

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """Hooks, MCP servers, skills and plugins of the repository."""
        from moor.agents.claude.extras import read_extras

        return read_extras(cwd).items

    def driver(self, context: LaunchContext) -> Driver:
        """A driver of its stdio protocol."""
        from moor.agents.claude.driver import ClaudeDriver

        return ClaudeDriver(context)

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of the folder."""
        from moor.agents.claude.history import transfers

        return transfers(context)


CLAUDE: Final = ClaudeCode()
