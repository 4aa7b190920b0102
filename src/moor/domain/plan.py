"""What a command is about to do, as data: shown by `--dry-run`, applied, and undone."""

from __future__ import annotations

import msgspec


class PlannedFile(msgspec.Struct, frozen=True):
    """A private file of ours that a launch writes (0600 below a 0700 folder)."""

    path: str
    content: bytes
    mode: int = 0o600


class LeftOut(msgspec.Struct, frozen=True):
    """Something of the user's or the repository's that is not passed on to the agent."""

    what: str
    """e.g. `plugin`, `mcp.tools`, `provider.acme`"""
    where: str
    """file, relative to the repository or with ~"""
    why: str
    """one clause"""


class LaunchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent will be started: compared by tests, printed by `--dry-run`."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """the whole environment of the agent"""
    cwd: str
    files: tuple[PlannedFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
