"""`moor [options] AGENT [its own arguments]`: the agent takes this terminal over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.cli.context import Context
from moor.cli.head import Head
from moor.cli.registry import COMMANDS
from moor.cli.setup import ensure_upstream
from moor.errors.base import UsageError

if TYPE_CHECKING:
    from moor.domain.plan import LaunchPlan
    from moor.launch.prepare import Prepared

_OURS: Final = ("--budget-usd", "--budget-tokens", "--upstream", "--small-model", "--dry-run")
"""options of moor's that no agent has"""


def run_agent(name: str, args: list[str], head: Head, ctx: Context) -> int:
    """Become the agent; returns only after `--dry-run`. Raises MoorError."""
    from moor.agents import agent_names, load_agent
    from moor.errors.agent import UnknownAgent
    from moor.launch.interactive import hand_over
    from moor.launch.lost import end_lost_sessions
    from moor.launch.prepare import Request, prepare

    try:
        agent = load_agent(name, ctx.loaded.settings.agents)
    except UnknownAgent as error:
        raise UnknownAgent(
            name=name, known=tuple(agent_names(ctx.loaded.settings.agents)), commands=tuple(COMMANDS)
        ) from error
    refuse_misplaced(name, args)
    upstream = ensure_upstream(ctx)
    ensure_agent(agent.id, ctx)
    request = Request(
        agent=agent.id,
        upstream=upstream,
        args=tuple(args),
        budget_usd=head.budget_usd,
        budget_tokens=head.budget_tokens,
        effort=head.effort,
        allow=tuple(head.allow),
        deny=tuple(head.deny),
        tags=_labels(head),
    )
    prepared = prepare(ctx.home, ctx.loaded, ctx.environ, ctx.clock, request)
    warn_unready(prepared, ctx)
    if head.dry_run:
        return show_plan(prepared, ctx, as_json=False)
    for session_id in end_lost_sessions(ctx.home, ctx.clock):
        ctx.out.detail(f"swept what session {session_id} had left")
    return hand_over(prepared, lambda plan: announce(prepared, plan, ctx))


def _labels(head: Head) -> dict[str, str]:
    if not head.tag:
        return {}
    from moor.cli.parser import labels  # argparse has read such a head, and is loaded

    return labels(head.tag)


def refuse_misplaced(name: str, args: list[str]) -> None:
    """An option of moor's behind the agent's name would be the agent's; a cap that is meant must not get lost."""
    for word in args:
        option = word.partition("=")[0]
        if word == "--":
            return
        if option in _OURS:
            raise UsageError(
                f"{option} stands behind {name}, where everything is the agent's own", hint=f"moor {option} … {name}"
            )


def ensure_agent(agent_id: str, ctx: Context) -> None:
    """Install the agent at its first launch, with a line of progress; a warm launch only looks."""
    from moor.agents import load_agent
    from moor.errors.agent import AgentMissing
    from moor.errors.launch import AgentDisabled

    agent = load_agent(agent_id, ctx.loaded.settings.agents)
    try:
        agent.find(ctx.home, ctx.environ, use_path=ctx.loaded.settings.agent(agent.id).use_path)
    except AgentMissing:
        if not ctx.loaded.settings.agent(agent.id).enabled:
            raise AgentDisabled(agent=agent.id) from None
        from moor.agents.install import install_agent
        from moor.cli.endings import endings_as_interrupt

        ctx.out.say(f"{agent.display_name} is not installed yet: installing it into {ctx.home.agents_dir}")
        with endings_as_interrupt():
            installed = install_agent(agent, ctx.home, ctx.environ)
        ctx.out.say(f"{agent.display_name} {installed.version} installed")


def warn_unready(prepared: Prepared, ctx: Context) -> None:
    """Say when a model was listed as not ready: an agent goes on asking for a minute before it shows the refusal."""
    if prepared.chosen.replaced:
        ctx.out.warn(
            f"{prepared.chosen.replaced} was not ready when the models were listed; {prepared.chosen.main.id}, "
            "a fallback of the settings, stands in for it"
        )
    for model in dict.fromkeys((prepared.chosen.main, prepared.chosen.small)):
        if model.ready is False:
            ctx.out.warn(f"{model.id} was not ready when the models were listed; see: moor models --refresh")


def announce(prepared: Prepared, plan: LaunchPlan, ctx: Context) -> None:
    """What is left out of the repository and what may go wrong is named; the rest only with --verbose."""
    from moor.launch.show import plan_lines

    say_plan(plan, ctx)
    if ctx.out.verbose:
        for line in plan_lines(prepared, plan):
            ctx.out.detail(line)


def say_plan(plan: LaunchPlan, ctx: Context) -> None:
    """What is not passed on, and the adapter's notes: a version that was not tested, settings that would win."""
    from moor.launch.show import left_out_lines

    for line in left_out_lines(plan):
        ctx.out.say(line)
    for note in plan.notes:
        ctx.out.warn(note)


def show_plan(prepared: Prepared, ctx: Context, *, as_json: bool, mode: str = "terminal") -> int:
    """Print what would be done; nothing is started or written."""
    from moor.launch.show import plan_json, plan_lines

    _, plan = prepared.plan("http://127.0.0.1:0", mode)
    if as_json:
        ctx.out.json(plan_json(prepared, plan))
        return 0
    for line in plan_lines(prepared, plan):
        ctx.out.result(line)
    return 0
