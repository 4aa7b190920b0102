"""`moor run "prompt"`: one prompt, headless, to the end, with an exit code."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.cli.context import Context
from moor.errors.base import MoorError, UsageError

if TYPE_CHECKING:
    from moor.cli.output import Output
    from moor.cli.steps import Steps
    from moor.domain.result import RunResult
    from moor.drive.run import HeadlessRun, RunOptions
    from moor.launch.prepare import Prepared

_MAX_PROMPT_BYTES: Final = 8 * 1024 * 1024
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `moor run`."""
    from moor.cli.parser import add_loudness, add_tag, positive_dollars, positive_tokens

    parser.add_argument("prompt", nargs="*", help="what to do; `-` or nothing: read it from stdin")
    parser.add_argument("--agent", metavar="NAME", help="agent to use")
    parser.add_argument("--upstream", metavar="NAME", help="upstream to use")
    parser.add_argument("--model", metavar="ID", help="model for the main work")
    parser.add_argument("--small-model", metavar="ID", help="model for side calls")
    parser.add_argument(
        "--effort", metavar="WORD", default="", help="how much the model reasons: low, medium, high, …"
    )
    parser.add_argument("--cwd", metavar="PATH", default="", help="folder to work in")
    parser.add_argument("--timeout", type=seconds, metavar="TIME", help="longest duration, e.g. 90, 30m, 2h (30m)")
    parser.add_argument("--budget-usd", type=positive_dollars, metavar="X", help="money cap of this run")
    parser.add_argument("--budget-tokens", type=positive_tokens, metavar="N", help="token cap of this run")
    parser.add_argument(
        "--preset", default="edit", metavar="NAME", help="what the agent may do: read, edit (default) or full"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="TOOL:GLOB",
        help="let more through, e.g. 'bash:git push*', 'write:/tmp/*', 'read:/usr/*'",
    )
    parser.add_argument(
        "--deny", action="append", default=[], metavar="TOOL:GLOB", help="let less through, e.g. 'write:*.lock'"
    )
    parser.add_argument("--allow-model", action="append", default=[], metavar="GLOB", help="allow only these models")
    parser.add_argument("--deny-model", action="append", default=[], metavar="GLOB", help="refuse these models")
    add_tag(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    add_loudness(parser)


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Exit code by how the run ended: 0 completed, 1 failed, 3 sign-in, 4 unreachable, 130 cancelled."""
    from moor.cli.launch import ensure_agent, show_plan, warn_unready
    from moor.cli.setup import ensure_upstream
    from moor.drive.permissions import check_preset, parse_rules
    from moor.launch.lost import end_lost_sessions
    from moor.launch.prepare import working_directory

    parse_rules([*args.allow, *args.deny])
    check_preset(args.preset)
    ctx.cwd = Path(working_directory(args.cwd, ctx.environ))
    prompt = "" if args.dry_run else prompt_text(args.prompt)
    upstream = ensure_upstream(ctx)
    agent = _agent_name(args, ctx)
    ensure_agent(agent, ctx)
    prepared = _prepare(args, ctx, agent, upstream)
    warn_unready(prepared, ctx)
    if args.dry_run:
        return show_plan(prepared, ctx, as_json=args.json, mode="server")
    end_lost_sessions(ctx.home, ctx.clock)
    return asyncio.run(_drive(prepared, prompt, _options(args), args, ctx))


def never_started(problem: BaseException, argv: list[str], out: Output) -> None:
    """With `--json`, the one object that a script waits for, for a run that ended before its agent started."""
    before_prompt = argv[: argv.index("--")] if "--" in argv else argv
    if "--json" not in before_prompt:
        return
    from moor.domain.result import CANCELLED, FAILED, RunError, RunResult

    if isinstance(problem, MoorError):
        error = RunError(problem.ref, problem.message, problem.hint)
    elif isinstance(problem, KeyboardInterrupt):
        error = RunError("cancelled", "stopped by the user")
    else:
        error = RunError("bug", f"moor failed: {type(problem).__name__}")
    out.json(RunResult(status=CANCELLED if error.ref == "cancelled" else FAILED, error=error))


def prompt_text(words: list[str]) -> str:
    """The prompt of the command line, else of stdin. Raises PromptMissing."""
    from moor.errors.run import PromptMissing

    if words and words != ["-"]:
        text = " ".join(words)
    elif words or not sys.stdin.isatty():
        data = sys.stdin.buffer.read(_MAX_PROMPT_BYTES + 1)
        if len(data) > _MAX_PROMPT_BYTES:
            raise UsageError(
                f"the prompt is above {_MAX_PROMPT_BYTES} bytes", hint="put it into a file and name that"
            )
        text = data.decode("utf-8", "replace")
    else:
        text = ""
    if not text.strip():
        raise PromptMissing
    return text


def seconds(text: str) -> float:
    """`90`, `90s`, `30m`, `2h` in seconds; above 0."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    value = float(found.group(1)) * _UNITS[found.group(2)] if found else 0.0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90, 30m or 2h")
    return value


def _agent_name(args: argparse.Namespace, ctx: Context) -> str:
    from moor.agents import DEFAULT_AGENT, load_agent

    name = args.agent or ctx.loaded.settings.defaults.agent or DEFAULT_AGENT
    return load_agent(name, ctx.loaded.settings.agents).id


def _prepare(args: argparse.Namespace, ctx: Context, agent: str, upstream: str) -> Prepared:
    from moor.cli.parser import labels
    from moor.domain.session import HEADLESS
    from moor.launch.prepare import Request, prepare

    head = args.head
    request = Request(
        agent=agent,
        upstream=upstream,
        cwd=args.cwd,
        seen=HEADLESS,
        effort=args.effort or head.effort,
        budget_tokens=args.budget_tokens if args.budget_tokens is not None else head.budget_tokens,
        budget_usd=args.budget_usd if args.budget_usd is not None else head.budget_usd,
        allow=(*head.allow, *args.allow_model),
        deny=(*head.deny, *args.deny_model),
        tags=labels([*head.tag, *args.tag]),
    )
    return prepare(ctx.home, ctx.loaded, ctx.environ, ctx.clock, request)


def _options(args: argparse.Namespace) -> RunOptions:
    from moor.drive.run import DEFAULT_TIMEOUT_S, RunOptions

    return RunOptions(
        timeout_s=args.timeout or DEFAULT_TIMEOUT_S,
        preset=args.preset,
        allow=tuple(args.allow),
        deny=tuple(args.deny),
    )


async def _drive(prepared: Prepared, prompt: str, options: RunOptions, args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.launch import say_plan
    from moor.cli.steps import Steps
    from moor.drive.run import HeadlessRun
    from moor.launch.headless import headless_session

    steps = Steps(ctx.out, stream=not args.json and ctx.out.stdout.isatty(), cwd=prepared.session.cwd)
    async with headless_session(prepared) as live:
        say_plan(live.plan, ctx)
        work = HeadlessRun(live, prepared.agent, ctx.home, options, steps.show, ctx.clock, steps.denied, steps.warned)
        _stop_on_signals(work)
        result = await work.execute(prompt)
    steps.close()
    _report(result, args, ctx, steps)
    return int(work.exit_code)


def _stop_on_signals(work: HeadlessRun) -> None:
    """Ctrl-C, TERM and a closed terminal end the run in order; asking twice changes nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, work.stop)


def _report(result: RunResult, args: argparse.Namespace, ctx: Context, steps: Steps) -> None:
    from moor.cli.steps import clean

    if args.json:
        ctx.out.json(result)
    elif result.text and not steps.streamed:
        ctx.out.result(clean(result.text).rstrip("\n"))
    if result.warning not in ("", steps.warning) and result.error is None:
        ctx.out.warn(clean(result.warning))
    if result.error is not None:
        ctx.out.problem(result.error.ref, clean(result.error.message), result.error.hint)
    _summary(result, ctx)


def _summary(result: RunResult, ctx: Context) -> None:
    if result.changed_files:
        ctx.out.say(
            f"changed: {', '.join(result.changed_files[:12])}" + (" …" if len(result.changed_files) > 12 else "")
        )
    for one in result.instead:
        ctx.out.say(f"answered by {one.model} of {one.upstream} instead of {one.asked}: {one.calls} calls")
    denied = sum(1 for answer in result.auto_answered if answer.answer != "allowed")
    cost = "cost unknown" if result.cost_usd is None else f"${result.cost_usd:.4f}"
    parts = [result.status, f"{result.duration_s:.1f} s", f"{result.tool_calls} tool calls"]
    parts += [f"{result.tokens.total} tokens", cost, *([f"{denied} denied"] if denied else []), result.session]
    ctx.out.say(" · ".join(parts))
