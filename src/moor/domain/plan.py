"""What a command is about to do, as data: shown by `--dry-run`, applied, and undone."""

from __future__ import annotations

import msgspec


class PlannedFile(msgspec.Struct, frozen=True):
    """A private file of ours that a launch writes (0600 below a 0700 folder)."""

    path: str
    content: bytes
    mode: int = 0o600


class PlannedLink(msgspec.Struct, frozen=True):
    """A symbolic link that a launch makes in a private folder: to state that outlives the session."""

    path: str
    target: str
    """absolute; it need not exist"""


class LeftOut(msgspec.Struct, frozen=True):
    """Something of the user's or the repository's that is not passed on to the agent."""

    what: str
    """e.g. `plugin`, `mcp.tools`, `provider.acme`"""
    where: str
    """file, relative to the repository or with ~"""
    why: str
    """one clause"""


class Once(msgspec.Struct, frozen=True):
    """A command that must have run before the agent's first start in its private home, by one process at a time."""

    argv: tuple[str, ...]
    marker: str
    """file that says that it has"""
    why: str


class LaunchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent will be started: compared by tests, printed by `--dry-run`."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """the whole environment of the agent"""
    cwd: str
    files: tuple[PlannedFile, ...] = ()
    links: tuple[PlannedLink, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    once: Once | None = None
    leavings: tuple[str, ...] = ()
    """folders in places of the user's that the agent makes for a moment; killed, it leaves them, empty"""
