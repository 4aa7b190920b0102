"""`moor demo`: the whole of it on a machine with no workspace, in a temporary directory, in one minute.

A simulated workspace, a sign-in, a gateway and a real agent that mends a failing test; then what it used.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.cli.demo.refusal import Refused
    from moor.cli.demo.repository import DemoRepository
    from moor.cli.demo.stage import Stage
    from moor.domain.models import Catalogue
    from moor.domain.result import RunResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the demo."""
    from moor.cli.parser import add_loudness

    parser.add_argument("--agent", metavar="NAME", help="agent to show (default: opencode)")
    parser.add_argument("--keep", action="store_true", help="keep the temporary directory and say where it is")
    add_loudness(parser)


def run(args: argparse.Namespace, ctx: Context) -> int:
    """0 when the agent mended the test, 1 otherwise."""
    from moor.agents import DEFAULT_AGENT, load_agent
    from moor.cli.launch import ensure_agent

    agent = load_agent(args.agent or DEFAULT_AGENT, ctx.loaded.settings.agents).id
    ensure_agent(agent, ctx)
    root = Path(tempfile.mkdtemp(prefix="moor-demo-")).resolve()
    try:
        return _play(agent, root, ctx)
    finally:
        _leave(root, args.keep, ctx)


def _leave(root: Path, keep: bool, ctx: Context) -> None:
    from moor.store.files import remove_tree_private

    if keep:
        ctx.out.say(f"kept: {root}")
    else:
        remove_tree_private(root)


def _play(agent: str, root: Path, ctx: Context) -> int:
    from moor.cli.demo.repository import DemoRepository
    from moor.cli.demo.stage import SCENARIO, Stage
    from moor.sim.config import SimConfig
    from moor.sim.embedded import EmbeddedSim
    from moor.sim.script.library import Library

    with EmbeddedSim(SimConfig(first_byte_s=0.15)) as sim:
        stage = Stage(ctx, root, sim.url)
        _step(ctx, "workspace", f"a simulated one at {sim.url}: no real model is called, no real money is spent")
        catalogue = stage.sign_in()
        _step(ctx, "sign-in", f"OAuth with PKCE as {catalogue.user} (simulated); {len(catalogue.models)} models")
        repository = DemoRepository(stage.repository, Library.load().files(SCENARIO))
        passed, line = repository.test()
        _step(ctx, "repository", f"{stage.repository}, its test {'passes' if passed else 'fails'}: {line}")
        result, refused = asyncio.run(_drive(stage, agent, catalogue))
        return _tell(stage, repository, result, refused)


async def _drive(stage: Stage, agent: str, catalogue: Catalogue) -> tuple[RunResult, Refused | None]:
    """The agent's run, and one call for a model off the list, on the same gateway."""
    from moor.cli.demo.refusal import ask_for_refused_model
    from moor.cli.demo.stage import PROMPT
    from moor.cli.steps import Steps
    from moor.drive.run import HeadlessRun, RunOptions
    from moor.launch.headless import headless_session

    ctx = stage.ctx
    prepared = stage.prepare(agent)
    async with headless_session(prepared) as live:
        name = f"{prepared.agent.display_name} {prepared.installed.version}"
        _step(ctx, "gateway", f"{live.context.gateway_url}: the agent gets this address and a key of no other worth")
        _step(ctx, "agent", f"{name} on {live.session.model}; its steps:")
        refused = await asyncio.to_thread(
            ask_for_refused_model, live.context.gateway_url, live.context.key, catalogue, live.session.policy
        )
        steps = Steps(ctx.out, stream=True)
        options = RunOptions(timeout_s=120.0)
        work = HeadlessRun(live, prepared.agent, stage.home, options, steps.show, ctx.clock, steps.denied)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, work.stop)
        result = await work.execute(PROMPT)
        steps.close()
    return result, refused


def _tell(stage: Stage, repository: DemoRepository, result: RunResult, refused: Refused | None) -> int:
    """The diff, the test, the calls, the refusal, and what to type for the real thing."""
    from moor.domain.result import CANCELLED, COMPLETED
    from moor.errors import ExitCode

    ctx = stage.ctx
    if result.error is not None:
        ctx.out.problem(result.error.ref, result.error.message, result.error.hint)
    if result.status == CANCELLED:
        return int(ExitCode.CANCELLED)
    passed, line = repository.test()
    _step(ctx, "diff", f"{', '.join(result.changed_files) or 'nothing'} changed")
    _show_diff(repository.diff(), ctx)
    _step(ctx, "test", f"{'passes' if passed else 'still fails'}: {line}")
    _step(ctx, "calls", "every one passed the gateway; tokens and cost are simulated")
    _show_calls(stage)
    if refused is not None:
        _step(ctx, "refused", f"{refused.model} ({refused.status}): {refused.sentence}")
    if not (passed and result.status == COMPLETED):
        return int(ExitCode.FAILED)
    ctx.out.result("")
    ctx.out.result("That was simulated. For the real thing:")
    ctx.out.result("  moor login --host https://YOUR-WORKSPACE.cloud.databricks.com    sign in to a workspace, or")
    ctx.out.result("  moor upstream add local --kind openai --base-url http://127.0.0.1:11434/v1    a local engine")
    ctx.out.result("  cd YOUR-REPOSITORY && moor opencode        the agent in your terminal")
    ctx.out.result('  moor run "fix the failing test"            the same without one')
    return 0


def _step(ctx: Context, word: str, text: str) -> None:
    ctx.out.result(f"{ctx.out.paint(f'{word:<10}', 'cyan')} {text}")


def _show_diff(diff: str, ctx: Context) -> None:
    for line in diff.splitlines():
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
            ctx.out.result("           " + ctx.out.paint(line, "green" if line[0] == "+" else "red"))


def _show_calls(stage: Stage) -> None:
    from moor.ledger.report import MODEL, usage_rows, usd_text

    rows = []
    for row in usage_rows(stage.home, by=(MODEL,)):
        usage = row.usage
        cost = "unknown" if row.cost_nano is None else usd_text(row.cost_nano)
        tokens = [str(n) for n in (usage.input, usage.cache_read, usage.cache_write, usage.output)]
        rows.append([row.by[MODEL], str(row.calls), str(row.failed), *tokens, cost])
    head = ("model", "calls", "refused", "input", "cache read", "cache write", "output", "cost (simulated)")
    stage.ctx.out.table(head, rows, right=range(1, 8))
