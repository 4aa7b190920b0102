"""`moor session list|import|export`: conversations of this folder, in an agent's own home and in moor's."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context
from moor.errors.base import ExitCode, UsageError

if TYPE_CHECKING:
    from moor.agents.base import Agent, Installed, Transfer

_OWN = "its own"
_OURS = "moor's"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("list", help="conversations of this folder, in the agent's own home and in moor's")
    _add_agent(show)
    show.add_argument("--json", action="store_true", help="one JSON array on stdout")
    bring = actions.add_parser("import", help="carry conversations from the agent's own home into moor's")
    _add_agent(bring)
    _add_which(bring)
    give = actions.add_parser("export", help="carry conversations from moor's home into the agent's own")
    _add_agent(give)
    give.add_argument("--to-agent-home", action="store_true", help="yes, write into the agent's own home")
    _add_which(give)


def _add_agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="NAME", help="agent (default: the one that a bare moor starts)")


def _add_which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="these conversations only; moor session list shows ids")
    parser.add_argument("--dry-run", action="store_true", help="say what would be carried, and stop")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action. Carrying is refused inside of a session: it would show an agent what was said elsewhere."""
    from moor.agents import DEFAULT_AGENT, load_agent

    settings = ctx.loaded.settings
    agent = load_agent(args.agent or settings.defaults.agent or DEFAULT_AGENT, settings.agents)
    installed = agent.find(ctx.home, ctx.environ, use_path=settings.agent(agent.id).use_path)
    if args.action == "list":
        return _list(args, ctx, agent, installed)
    from moor.cli.inside import refuse_inside

    refuse_inside(ctx, f"moor session {args.action}")
    out = args.action == "export"
    if out and not args.to_agent_home:
        raise UsageError(
            f"an export writes into {agent.display_name}'s own home", hint="moor session export --to-agent-home"
        )
    return _carry(args, ctx, agent, installed, to_agent_home=out)


def _list(args: argparse.Namespace, ctx: Context, agent: Agent, installed: Installed) -> int:
    from moor.launch.carry import conversations, is_there

    found: list[dict[str, Any]] = []
    for where, out in ((_OWN, False), (_OURS, True)):
        with tempfile.TemporaryDirectory(prefix="moor-session-") as scratch:
            for one in conversations(
                agent, installed, ctx.home, ctx.environ, str(ctx.cwd), Path(scratch), to_agent_home=out
            ):
                row = {"agent": agent.id, "home": where, "id": one.id, "title": one.title}
                found.append({**row, "updated_at": one.updated_at, "in_both": is_there(one)})
    if args.json:
        ctx.out.json(found)
    elif not found:
        ctx.out.say(f"{agent.display_name} has no conversations of {ctx.cwd} that can be carried")
    else:
        rows = [[one["home"], _when(one["updated_at"]), one["id"], _mark(one)] for one in found]
        ctx.out.table(["HOME", "UPDATED", "ID", "TITLE"], rows)
    return int(ExitCode.OK)


def _carry(args: argparse.Namespace, ctx: Context, agent: Agent, installed: Installed, *, to_agent_home: bool) -> int:
    from moor.launch.carry import carry, conversations, is_there, refuse_while_it_runs

    if not args.dry_run:
        refuse_while_it_runs(agent, ctx.environ)
    ctx.home.ensure()
    done = 0
    with tempfile.TemporaryDirectory(prefix="moor-session-") as scratch:
        found = conversations(
            agent, installed, ctx.home, ctx.environ, str(ctx.cwd), Path(scratch), to_agent_home=to_agent_home
        )
        for one in _chosen(found, args.ids, agent, ctx):
            if is_there(one):
                ctx.out.say(f"{one.id} is there already and stays as it is")
                continue
            if not args.dry_run:
                carry(one, agent.id, ctx.environ, str(ctx.cwd))
            done += 1
            ctx.out.result(f"{'would carry' if args.dry_run else 'carried'} {one.id}  {_title(one.title)}".rstrip())
    if not done:
        ctx.out.say("nothing to carry")
    elif not args.dry_run:
        command = agent.id if to_agent_home else f"moor {agent.id}"
        ctx.out.say(f"go on with it: {command}, in this folder, and choose it among its conversations")
    return int(ExitCode.OK)


def _chosen(found: Sequence[Transfer], ids: list[str], agent: Agent, ctx: Context) -> list[Transfer]:
    from moor.errors.launch import UnknownConversation

    known = {one.id: one for one in found}
    for wanted in ids:
        if wanted not in known:
            raise UnknownConversation(agent=agent.display_name, conversation=wanted, cwd=str(ctx.cwd))
    return [known[wanted] for wanted in dict.fromkeys(ids)] if ids else list(found)


def _mark(one: dict[str, Any]) -> str:
    return _title(one["title"]) + ("  (in both)" if one["in_both"] else "")


def _title(text: str) -> str:
    from moor.cli.steps import clean

    return clean(text).replace("\n", " ")[:60]


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else "-"
