"""`moor agents install` and `upgrade`: several at once; one that fails does not stop the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from moor.agents.install import install_agent, set_current
from moor.agents.newest import Newest, ask_newest, remember
from moor.agents.recipe import TEST_FOLDER_VARIABLE, Say, Terms, current_version, installed_versions
from moor.agents.tools import TOOLS
from moor.agents.versions import in_use, prune, remove
from moor.cli.board import Board, board
from moor.cli.context import Context
from moor.cli.endings import endings_as_interrupt
from moor.cli.named import named_agents, plain_version
from moor.errors.agent import AgentMissing, AgentVersionUnfit
from moor.errors.base import ExitCode, MoorError, UsageError
from moor.errors.launch import AgentDisabled

if TYPE_CHECKING:
    from moor.agents.base import Agent

T = TypeVar("T")
AT_ONCE: Final = 4


def install(args: argparse.Namespace, ctx: Context) -> int:
    """Install the agents named, or all that are switched on."""
    agents = _all_enabled(ctx) if args.all else named_agents(args.names, ctx, args.action)
    version = _one_version(args, agents)
    _refuse_disabled(agents, ctx)
    terms = _terms(args, ctx, archive=_archive(args, ctx))

    def work(agent: Agent, say: Say) -> str:
        return _put(agent, ctx, version, terms, say)

    return _each(agents, work, ctx)


def upgrade(args: argparse.Namespace, ctx: Context) -> int:
    """Bring the agents named, or all that moor installed, to the tested version, the newest, or the one named.

    The version before stays on disk as a way back; older ones go, unless a session runs them.
    """
    agents = named_agents(args.names, ctx, args.action) if args.names else _all_installed(ctx)
    version = _one_version(args, agents)
    if version and args.newest:
        raise UsageError("--version and --newest exclude each other", hint="moor agents upgrade --help")
    _refuse_disabled(agents, ctx)
    terms = _terms(args, ctx)

    def work(agent: Agent, say: Say) -> str:
        before = _installed(agent, ctx)
        if not before:
            raise AgentMissing(agent=agent.id, place=str(ctx.home.agents_dir / agent.id))
        wanted = version or (ask_newest(agent.recipe(), ctx.environ) if args.newest else "") or agent.pinned_version
        if wanted == before:
            return f"{agent.display_name} {before} is installed already"
        done = _put(agent, ctx, wanted, terms, say)
        prune(ctx.home, agent.id, (before, wanted))
        _say_what_stays(agent, ctx, before, say)
        return f"{done}\n  back to the one before: moor agents install {agent.id} --version {before}"

    if not agents:
        ctx.out.say("moor has installed no agent yet; moor agents install NAME")
    return _each(agents, work, ctx)


def ask_all(agents: Sequence[Agent], ctx: Context) -> None:
    """Ask the registries for the newest release of each agent and remember the answers; a failure is a warning."""
    answers: dict[str, Newest] = {}

    def work(agent: Agent, say: Say) -> str:
        say("asking for the newest release …")
        return ask_newest(agent.recipe(), ctx.environ)

    for agent, got in _in_parallel(agents, work, board(ctx.out, [agent.id for agent in agents])):
        if isinstance(got, MoorError):
            ctx.out.warn(f"{agent.id}: {got.message}")
        elif got:
            answers[agent.id] = Newest(got, ctx.clock.now())
    if answers:
        remember(ctx.home, answers)


def _put(agent: Agent, ctx: Context, version: str | None, terms: Terms, say: Say) -> str:
    """Install it and see that this moor can start it; else back to what was there."""
    before = _installed(agent, ctx)
    installed = install_agent(agent, ctx.home, ctx.environ, version, terms=terms, say=say)
    own = {name: value for name, value in ctx.environ.items() if name != TEST_FOLDER_VARIABLE}
    try:
        agent.find(ctx.home, own)
    except AgentVersionUnfit:
        if before and before != installed.version:
            set_current(ctx.home.agents_dir / agent.id, before)
        remove(ctx.home, agent.id, installed.version)
        raise
    note = agent.version_note(installed.version)
    return f"{agent.display_name} {installed.version}: {installed.path}" + (f"\n  {note}" if note else "")


def _say_what_stays(agent: Agent, ctx: Context, before: str, say: Say) -> None:
    folder = ctx.home.agents_dir / agent.id / before
    if in_use([folder]):
        say(f"sessions that run keep {agent.display_name} {before}")


def _installed(agent: Agent, ctx: Context) -> str:
    """The version of moor's own that is started; empty when moor has installed none."""
    folder = ctx.home.agents_dir / agent.id
    version = current_version(folder)
    return version if version in installed_versions(folder) else ""


def _all_enabled(ctx: Context) -> list[Agent]:
    from moor.agents import AGENTS, load_agent

    return [load_agent(name) for name in AGENTS if ctx.loaded.settings.agent(name).enabled]


def _all_installed(ctx: Context) -> list[Agent]:
    from moor.agents import agent_names, load_agent

    described = ctx.loaded.settings.agents
    found = [load_agent(name, described) for name in agent_names(described)]
    return [agent for agent in found if _installed(agent, ctx) and ctx.loaded.settings.agent(agent.id).enabled]


def _refuse_disabled(agents: Sequence[Agent], ctx: Context) -> None:
    for agent in agents:
        if not ctx.loaded.settings.agent(agent.id).enabled:
            raise AgentDisabled(agent=agent.id)


def _one_version(args: argparse.Namespace, agents: Sequence[Agent]) -> str | None:
    if args.version and len(agents) != 1:
        raise UsageError(
            "--version is for one agent", hint=f"moor agents {args.action} NAME --version {args.version}"
        )
    return plain_version(args.version)


def _terms(args: argparse.Namespace, ctx: Context, archive: Path | None = None) -> Terms:
    days = ctx.loaded.settings.install.min_age_days
    return Terms(allow_new=args.allow_new, min_age_days=days, archive=archive)


def _archive(args: argparse.Namespace, ctx: Context) -> Path | None:
    if args.archive is None:
        return None
    path = ctx.cwd / Path(args.archive).expanduser()
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="--from takes a .tgz file, or a folder of packages")
    return path


def _each(agents: Sequence[Agent], work: Callable[[Agent, Say], str], ctx: Context) -> int:
    """Do the work for each agent and show how it ended. Raises the error itself when there is but one agent."""
    failed = False
    for _, got in _in_parallel(agents, work, board(ctx.out, [agent.id for agent in agents])):
        if not isinstance(got, MoorError):
            ctx.out.result(got)
        elif len(agents) == 1:
            raise got
        else:
            failed = True
            ctx.out.error(got)
    return int(ExitCode.AGENT_MISSING if failed else ExitCode.OK)


def _in_parallel(
    agents: Sequence[Agent], work: Callable[[Agent, Say], T], progress: Board
) -> list[tuple[Agent, T | MoorError]]:
    """The result or the error for each agent, in their order. A bug in one is raised when all have ended.

    Ctrl-C, SIGTERM and a closed terminal stop all of them; what they had begun is removed first.
    """
    with progress, endings_as_interrupt(), ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(work, agent, progress.voice(agent.id)): agent for agent in agents}
        try:
            left: set[Future[T]] = set(futures)
            while left:
                done, left = wait(left, return_when=FIRST_COMPLETED)
                for future in done:
                    progress.done(futures[future].id, ok=future.exception() is None)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            TOOLS.stop()
            raise
    return [(agent, _outcome(future)) for future, agent in futures.items()]


def _outcome(future: Future[Any]) -> Any:
    try:
        return future.result()
    except MoorError as error:
        return error
