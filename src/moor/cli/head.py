"""What stands before the command: read by hand in its plain form, for a warm launch waits for nothing.

argparse costs such a launch a third of its time (its own import, gettext's locale look-up, shutil).
"""

from __future__ import annotations

from typing import Final

from moor.cli.registry import COMMANDS

_LOUDNESS: Final = {"-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose"}


class Head:
    """The options before the name, and from the name on everything, verbatim. argparse fills the same class."""

    def __init__(self) -> None:
        self.version = False
        self.quiet = False
        self.verbose = False
        self.upstream: str | None = None
        self.model: str | None = None
        self.small_model: str | None = None
        self.effort = ""
        self.budget_usd: float | None = None
        self.budget_tokens: int | None = None
        self.allow: list[str] = []
        self.deny: list[str] = []
        self.tag: list[str] = []
        self.dry_run = False
        self.command: list[str] = []


def plain_head(argv: list[str]) -> Head | None:
    """`[-q|-v] AGENT …`; None for anything else, which argparse reads."""
    head = Head()
    for position, word in enumerate(argv):
        if word in _LOUDNESS:
            setattr(head, _LOUDNESS[word], True)
        elif word.startswith("-") or word in COMMANDS:
            return None
        else:
            head.command = argv[position:]
            return head
    return None
