"""`moor completion SHELL`: a completion script, from the registries of commands and agents."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.domain.settings import AgentSettings

SHELLS: Final = ("bash", "zsh", "fish", "tcsh")
_INSTALL: Final = {
    "bash": "moor completion bash > ~/.local/share/bash-completion/completions/moor",
    "zsh": "moor completion zsh > ~/.zfunc/_moor   (with fpath+=~/.zfunc before compinit)",
    "fish": "moor completion fish > ~/.config/fish/completions/moor.fish",
    "tcsh": "moor completion tcsh >> ~/.tcshrc",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Print the script; say where it belongs."""
    import shtab

    ctx.out.result(shtab.complete(whole_parser(ctx.loaded.settings.agents), shell=args.shell))
    if ctx.out.stdout.isatty():
        ctx.out.say(f"to install it: {_INSTALL[args.shell]}")
    return 0


def whole_parser(described: Mapping[str, AgentSettings] | None = None) -> argparse.ArgumentParser:
    """One parser with every command and agent below it; for completion and the reference page only."""
    from moor.agents import AGENTS, agent_names
    from moor.cli.parser import Parser, add_launch_options, add_loudness
    from moor.cli.registry import COMMANDS

    parser = Parser(prog="moor", description="Run any coding agent on governed models.", allow_abbrev=False)
    parser.add_argument("-V", "--version", action="store_true", help="version and commit")
    add_loudness(parser)
    add_launch_options(parser)
    below = parser.add_subparsers(dest="command", metavar="COMMAND|AGENT")
    for name, (target, summary) in COMMANDS.items():
        importlib.import_module(target).add_arguments(below.add_parser(name, help=summary, allow_abbrev=False))
    for name in agent_names(described):
        summary = AGENTS[name].summary if name in AGENTS else "an agent of your config in this terminal"
        below.add_parser(name, help=summary, add_help=False, allow_abbrev=False)
    return parser
