"""The command line: options, then a command or an agent's name, then what is theirs (design, decision 13)."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import NoReturn

from moor.cli.context import Context
from moor.cli.output import Output
from moor.cli.registry import COMMANDS
from moor.errors import ExitCode, MoorError, UsageError


class Parser(argparse.ArgumentParser):
    """argparse that raises our error instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """One sentence and the help to ask for."""
        raise UsageError(message, hint=f"{self.prog} --help")


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code. Everything that can go wrong ends in words here."""
    out = Output(os.environ)
    try:
        return _dispatch(argv, out)
    except MoorError as error:
        out.error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        out.say("cancelled")
        return int(ExitCode.CANCELLED)
    except BrokenPipeError:
        # the reader of our stdout left; python would complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a report
        from moor.cli.bug import report_bug

        return report_bug(error, argv, out)


def _dispatch(argv: list[str], out: Output) -> int:
    if sys.platform == "win32":
        raise UsageError("moor does not run on native Windows", hint="use it inside WSL: wsl --install")
    parser = _head_parser()
    args = parser.parse_args(argv)
    out.quiet, out.verbose = args.quiet, args.verbose
    if args.version:
        from moor.version import version_line

        out.result(version_line())
        return 0
    ctx = Context(out, flags=_flags(args))
    if not args.command:
        from moor.cli.bare import run_bare

        return run_bare(args, ctx)
    name, rest = args.command[0], args.command[1:]
    if name in COMMANDS:
        return _run_command(name, rest, args, ctx)
    from moor.cli.launch import run_agent

    return run_agent(name, rest, args, ctx)


def _run_command(name: str, rest: list[str], head: argparse.Namespace, ctx: Context) -> int:
    module = importlib.import_module(COMMANDS[name][0])
    try:
        args = command_parser(name).parse_args(rest)
        args.head = head
        ctx.out.quiet = ctx.out.quiet or getattr(args, "quiet", False)
        ctx.out.verbose = ctx.out.verbose or getattr(args, "verbose", False)
        ctx.flags.update(_flags(args))
        code: int = module.run(args, ctx)
    except (Exception, KeyboardInterrupt) as problem:
        # a command whose readers wait for an object on stdout tells them too
        if hasattr(module, "never_started"):
            module.never_started(problem, rest, ctx.out)
        raise
    return code


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, for running it, for completion and for the reference page."""
    module = importlib.import_module(COMMANDS[name][0])
    parser = Parser(prog=f"moor {name}", description=COMMANDS[name][1], allow_abbrev=False)
    module.add_arguments(parser)
    return parser


def add_launch_options(parser: argparse.ArgumentParser) -> None:
    """Options shared by `moor AGENT` (before the name) and `moor run`."""
    parser.add_argument("--upstream", metavar="NAME", help="upstream to use")
    parser.add_argument("--model", metavar="ID", help="model for the main work")
    parser.add_argument("--small-model", metavar="ID", help="model for titles and summaries")
    parser.add_argument("--budget-usd", type=positive_dollars, metavar="X", help="money cap of the session")
    parser.add_argument("--allow", action="append", default=[], metavar="GLOB", help="allow only these models")
    parser.add_argument("--deny", action="append", default=[], metavar="GLOB", help="refuse these models")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")


def positive_dollars(text: str) -> float:
    """A finite number of dollars above zero."""
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def add_loudness(parser: argparse.ArgumentParser) -> None:
    """--quiet and --verbose."""
    parser.add_argument("-q", "--quiet", action="store_true", help="results and errors only")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is done and why")


def _head_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="moor",
        description="Run any coding agent on the models your organisation governs.",
        usage="moor [options] COMMAND|AGENT [their own arguments]",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        "",
        "commands:",
    ]
    lines += [f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join([*lines, "", "options stand before the agent's name; everything after it is the agent's own"])


def _flags(args: argparse.Namespace) -> dict[str, str]:
    named = {
        "upstream": "defaults.upstream",
        "model": "defaults.model",
        "small_model": "defaults.small_model",
    }
    return {dotted: value for name, dotted in named.items() if (value := getattr(args, name, None))}
