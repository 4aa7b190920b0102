"""The options, with argparse. A plain `moor AGENT …` never loads this (see `moor.cli.head`)."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterable
from typing import NoReturn

from moor.cli.head import Head
from moor.cli.registry import COMMANDS
from moor.errors import UsageError


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse would load shutil (8 ms) for each option to learn the width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class Parser(argparse.ArgumentParser):
    """argparse that raises our error instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """One sentence and the help to ask for."""
        raise UsageError(message, hint=f"{self.prog} --help")


def parse_head(argv: list[str]) -> Head:
    """What stands before the command's or agent's name, and the rest as `command`."""
    return head_parser().parse_args(argv, namespace=Head())


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, for running it, for completion and for the reference page."""
    module = importlib.import_module(COMMANDS[name][0])
    parser = Parser(prog=f"moor {name}", description=COMMANDS[name][1], allow_abbrev=False, formatter_class=Help)
    module.add_arguments(parser)
    return parser


def add_launch_options(parser: argparse.ArgumentParser) -> None:
    """Options shared by `moor AGENT` (before the name) and `moor run`."""
    parser.add_argument("--upstream", metavar="NAME", help="upstream to use")
    parser.add_argument("--model", metavar="ID", help="model for the main work")
    parser.add_argument("--small-model", metavar="ID", help="model for titles and summaries")
    parser.add_argument(
        "--effort", metavar="WORD", default="", help="how much the model reasons: low, medium, high, …"
    )
    parser.add_argument("--budget-usd", type=positive_dollars, metavar="X", help="money cap of the session")
    parser.add_argument("--budget-tokens", type=positive_tokens, metavar="N", help="token cap of the session")
    parser.add_argument("--allow", action="append", default=[], metavar="GLOB", help="allow only these models")
    parser.add_argument("--deny", action="append", default=[], metavar="GLOB", help="refuse these models")
    add_tag(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")


def add_tag(parser: argparse.ArgumentParser) -> None:
    """`--tag K=V`, as often as one likes."""
    parser.add_argument("--tag", action="append", default=[], metavar="K=V", help="label the calls in the ledger")


def labels(texts: Iterable[str]) -> dict[str, str]:
    """What `--tag` says. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"{text!r} is no label", hint="write --tag KEY=VALUE")
        found[key] = value
    return found


def positive_dollars(text: str) -> float:
    """A finite number of dollars above zero."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of dollars; write 5 or 0.50") from None
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be above 0 and below a billion")
    return value


def positive_tokens(text: str) -> int:
    """A whole number of tokens above zero; `500k` and `2M` are understood."""
    units = {"k": 1_000, "m": 1_000_000}
    unit = units.get(text[-1:].lower(), 1)
    try:
        value = int(float(text[:-1]) * unit) if unit > 1 else int(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write 500000, 500k or 2M") from None
    if not 0 < value < 10**15:
        raise argparse.ArgumentTypeError("must be above 0 and below 10^15")
    return value


def add_loudness(parser: argparse.ArgumentParser) -> None:
    """--quiet and --verbose."""
    parser.add_argument("-q", "--quiet", action="store_true", help="results and errors only")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is done and why")


def head_parser() -> argparse.ArgumentParser:
    """The parser of what stands before the name."""
    parser = Parser(
        prog="moor",
        description="Run any coding agent on the models your organisation governs.",
        usage="moor [options] COMMAND|AGENT [their own arguments]",
        epilog=_epilog(),
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="version and commit")
    add_loudness(parser)
    add_launch_options(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _epilog() -> str:
    from moor.agents import AGENTS

    width = max(len(name) for name in (*COMMANDS, *AGENTS))
    lines = [
        "agents:",
        *[f"  {name:{width}}  {entry.summary}" for name, entry in AGENTS.items()],
        "  and those that you have described: moor agents lists them",
        "",
        "commands:",
    ]
    lines += [f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join([*lines, "", "options stand before the agent's name; everything after it is the agent's own"])


def _columns() -> int:
    named = os.environ.get("COLUMNS", "")
    if named.isdigit() and int(named):
        return int(named)
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80
