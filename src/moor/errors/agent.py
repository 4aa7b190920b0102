"""Errors about agents: unknown, missing, outside their window, failing."""

from __future__ import annotations

import difflib

from moor.errors.base import ExitCode, MoorError


class UnknownAgent(MoorError):
    """Neither a command nor an agent of that name."""

    ref = "unknown-agent"
    exit_code = ExitCode.USAGE

    def __init__(self, *, name: str, known: tuple[str, ...], commands: tuple[str, ...] = ()) -> None:
        close = difflib.get_close_matches(name, [*known, *commands], n=1)
        hint = f"did you mean: moor {close[0]}" if close else f"agents: {', '.join(known)}; see: moor --help"
        super().__init__(f"{name!r} is neither a command nor an agent", hint=hint)
        self.name = name
