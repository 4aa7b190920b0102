"""What moor asks of an agent's adapter, and what an adapter is handed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from moor.domain.models import Model
from moor.domain.plan import LaunchPlan
from moor.domain.session import AgentTraits, Session
from moor.domain.settings import AgentSettings
from moor.secrets import Secret

if TYPE_CHECKING:
    from moor.agents.recipe import Recipe
    from moor.domain.event import Event
    from moor.store.home import Home


READ = "read"
WRITE = "write"
COMMAND = "command"
FETCH = "fetch"
INTERNAL = "internal"
"""of the agent's own: a plan, a sub-agent, a skill; touches nothing outside of the agent"""
OTHER = "other"

ACCESS = (READ, WRITE, COMMAND, FETCH, INTERNAL, OTHER)
"""what a permission is asked for: `data["access"]` of a PERMISSION event. Its `paths` are the files meant, its
`data["command"]` is the command line, `data["cwd"]` its folder where that is not the session's, and its
`data["patterns"]` are the agent's own words. A command that is sure to do nothing but look names the files in
`data["reads"]`."""


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Something of a repository that starts programs, and is let in by `moor trust` only."""

    what: str
    """`mcp.tools`, `plugin p.js`"""
    where: str
    """file, relative to the repository"""
    does: str
    """one line for the person who is asked: the command, the address, the file"""
    content: bytes
    """exactly what was looked at; trust holds for this and nothing else"""


class Installed(msgspec.Struct, frozen=True):
    """An agent's program on this machine."""

    path: str
    """the real binary"""
    version: str
    source: str
    """`moor` (installed by moor), `path` (found on PATH and allowed), `env` (named by the environment)"""


SEES: Final = (
    "settings",
    "instructions",
    "skills",
    "commands",
    "agents",
    "MCP servers",
    "hooks and plugins",
    "history",
)
"""rows of the table in the docs: what of the user's own set-up an agent sees when moor starts it"""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation that can be carried between moor's private home and the agent's own home."""

    id: str
    """the agent's own id of the conversation"""
    title: str = ""
    updated_at: float = 0.0
    """seconds since the epoch"""
    copies: tuple[tuple[Path, Path], ...] = ()
    """files to copy, source to target; a target that exists is never overwritten"""
    commands: tuple[tuple[str, ...], ...] = ()
    """commands of the agent's own to run afterwards, in this order, in the conversation's folder"""
    env: dict[str, str] = {}
    """variables set for the commands, beside the user's own environment"""
    there: bool = False
    """the other side has it already, where the files to copy do not tell"""


class TransferContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter is handed to find conversations."""

    installed: Installed
    home: Path
    """the agent's private home"""
    user_home: Path
    environ: dict[str, str]
    """the user's own environment: it may move the agent's own home (`CODEX_HOME`, …)"""
    cwd: str
    """conversations of this folder are meant"""
    scratch: Path
    """private folder, removed afterwards"""
    to_agent_home: bool
    """False: from the agent's own home into moor's; True: back"""


class LaunchContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an adapter needs to plan a launch; beside it, it only reads files."""

    session: Session
    installed: Installed
    gateway_url: str
    """`http://127.0.0.1:PORT`"""
    key: Secret
    model: Model
    small_model: Model
    models: tuple[Model, ...]
    """all models the policy allows, for the agent's picker"""
    home: Path
    """the agent's private home, kept between sessions (history lives here)"""
    session_home: Path
    """private folder of this session; removed when it ends"""
    user_home: Path
    environ: dict[str, str]
    """the environment as moor built it: stripped, with NO_PROXY and MOOR_SESSION"""
    args: tuple[str, ...] = ()
    """the user's own arguments, verbatim"""
    mode: str = "terminal"
    """`terminal` (its own interface) or `server` (driven by moor)"""
    slots: dict[str, Model] = {}
    """models for the agent's own model names (`[agents.NAME.slots]`); the adapter fills the rest by family"""
    fallback: tuple[Model, ...] = ()
    """`[agents.NAME] fallback`, for agents that can name some themselves"""
    effort: str = ""
    """`low`, `medium`, `high` or a word of the agent's own; empty: the agent's default"""
    settings: AgentSettings = AgentSettings()
    """the whole group, for an agent that is described in it"""
    trusted: bool = False
    """the repository's plugins, MCP commands and hooks were let in by `moor trust`"""


class Driver(Protocol):
    """One agent process driven without a terminal."""

    async def start(self, plan: LaunchPlan) -> None:
        """Start the agent's server; raises AgentStartError within 60 s."""
        ...

    async def prompt(self, text: str) -> None:
        """Send one prompt; its events come from `events()`."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends (kind TURN_END) or the agent is gone."""
        ...

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        """Answer a permission or reject a question; `note` is told to the model."""
        ...

    async def cancel(self) -> None:
        """Stop the running turn; returns within 5 s."""
        ...

    async def close(self) -> None:
        """Stop the agent and its tools; returns within 5 s; idempotent."""
        ...


class Agent(Protocol):
    """One agent: everything that knows its name lives in its own file or folder."""

    id: str
    display_name: str
    pinned_version: str
    """the version that moor installs and is tested with"""
    dialects: tuple[str, ...]
    """the dialects it speaks; only models that are served in one of them can be its own"""
    refused_commands: dict[str, str]
    """sub-commands that are refused, with the reason and what to type instead"""
    sees: dict[str, str]
    """what of the user's own set-up it sees, one clause for each of SEES"""

    def traits(self, version: str) -> AgentTraits:
        """What the wire must know of it."""
        ...

    def find(self, home: Home, environ: dict[str, str], *, use_path: bool = False) -> Installed:
        """The program to start; `use_path`: one on PATH will do. Raises AgentMissing (exit 5), AgentVersionUnfit."""
        ...

    def version_note(self, version: str) -> str:
        """A sentence when that version is outside the tested ones, with the way back; empty otherwise."""
        ...

    def recipe(self, version: str | None = None) -> Recipe:
        """What `moor agents install` fetches for the pinned (or that) version on this machine.

        Raises AgentInstallFailed where the agent is not built for the machine.
        """
        ...

    def plan(self, context: LaunchContext) -> LaunchPlan:
        """argv, environment and private files of a launch; reads files, writes none."""
        ...

    def extras(self, cwd: str) -> tuple[Extra, ...]:
        """What the repository around that folder would start, were it trusted. Reads files; BLOCKS."""
        ...

    def driver(self, context: LaunchContext) -> Driver:
        """A driver for `mode == "server"`."""
        ...

    def transfers(self, context: TransferContext) -> tuple[Transfer, ...]:
        """Conversations of that folder that `moor session import|export` can carry, newest first. BLOCKS on files."""
        ...


def split_at_dashes(args: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments before `--`, and those from it on; behind it nothing is an option."""
    end = args.index("--") if "--" in args else len(args)
    return args[:end], args[end:]
