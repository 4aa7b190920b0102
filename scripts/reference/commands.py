"""docs/reference/commands.md: the head of the line, then every command, from its parser."""

from __future__ import annotations

import argparse

from moor.cli.parser import command_parser, head_parser
from moor.cli.registry import COMMANDS
from scripts.reference.notes import page
from scripts.reference.parsers import describe, shown, table_of

INTRO = """
`moor [options] COMMAND|AGENT [their own arguments]`

Options that stand before the name are moor's; everything after an agent's name is the agent's own. Results go
to stdout, narration and errors to stderr. Colour follows `NO_COLOR` and the terminal. Every command takes
`--help`. Exit codes: [exit-codes.md](exit-codes.md).
"""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every command's parser, by name; the head of the line under `moor`."""
    return {"moor": head_parser(), **{name: command_parser(name) for name in COMMANDS}}


def render() -> str:
    """The page."""
    found = parsers()
    head = found.pop("moor")
    listing = "\n".join(f"- [`moor {name}`](#moor-{name}): {summary}" for name, (_, summary) in COMMANDS.items())
    sections = [describe(parser) for parser in found.values()]
    options = "## Options before the name\n\n" + table_of(shown(head))
    return page("Commands", INTRO, listing, options, *sections)
