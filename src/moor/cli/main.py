"""The command line: options, then a command or an agent's name, then what is theirs (design, decision 13)."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from moor.cli.context import Context
from moor.cli.head import Head, plain_head
from moor.cli.output import Output
from moor.cli.registry import COMMANDS
from moor.errors import ExitCode, MoorError, UsageError


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
        return int(ExitCode.FAILED)  # the reader of our results left
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a report
        from moor.cli.bug import report_bug

        return report_bug(error, argv, out)


def _dispatch(argv: list[str], out: Output) -> int:
    if sys.platform == "win32":
        raise UsageError("moor does not run on native Windows", hint="use it inside WSL: wsl --install")
    args = plain_head(argv) or _parse_head(argv)
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


def _parse_head(argv: list[str]) -> Head:
    from moor.cli.parser import parse_head

    return parse_head(argv)


def _run_command(name: str, rest: list[str], head: Head, ctx: Context) -> int:
    from moor.cli.parser import command_parser

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


def _flags(args: Any) -> dict[str, str]:
    named = {
        "upstream": "defaults.upstream",
        "model": "defaults.model",
        "small_model": "defaults.small_model",
    }
    return {dotted: value for name, dotted in named.items() if (value := getattr(args, name, None))}
