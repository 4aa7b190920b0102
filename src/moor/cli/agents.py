"""`moor agents`: which are known, which are installed, whether their versions are tested; install and remove."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context
from moor.errors.base import ExitCode, MoorError, UsageError

if TYPE_CHECKING:
    from moor.agents.base import Agent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`install` and `remove`; without a word: the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    install = actions.add_parser("install", help="install an agent: the tested version, or the one named")
    install.add_argument("name", metavar="NAME", help="agent")
    install.add_argument("--version", metavar="V", help="another version than the tested one")
    install.add_argument("--allow-new", action="store_true", help="also a release of the last days")
    remove = actions.add_parser("remove", help="remove an agent that moor installed")
    remove.add_argument("name", metavar="NAME", help="agent")
    remove.add_argument("--version", metavar="V", help="this version only")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Exit code 5 when an install fails."""
    if args.action == "install":
        return _install(args, ctx)
    if args.action == "remove":
        return _remove(args, ctx)
    return _list(args, ctx)


def _list(args: argparse.Namespace, ctx: Context) -> int:
    from moor.agents import AGENTS, load_agent

    found = [_state(load_agent(agent_id), ctx) for agent_id in AGENTS]
    if args.json:
        ctx.out.json(found)
        return int(ExitCode.OK)
    rows = [
        [one["agent"], one["installed"] or "-", one["tested"], one["source"] or "-", one["note"]] for one in found
    ]
    ctx.out.table(["AGENT", "INSTALLED", "TESTED", "FROM", "NOTE"], rows)
    return int(ExitCode.OK)


def _state(agent: Agent, ctx: Context) -> dict[str, Any]:
    state: dict[str, Any] = {
        "agent": agent.id,
        "name": agent.display_name,
        "enabled": ctx.loaded.settings.agent(agent.id).enabled,
        "installed": None,
        "tested": agent.pinned_version,
        "source": None,
        "path": None,
        "note": "",
    }
    try:
        installed = agent.find(ctx.home, ctx.environ)
    except MoorError as error:
        state["note"] = f"{error.message}; {error.hint}"
    else:
        state.update(installed=installed.version, source=installed.source, path=installed.path)
        state["note"] = agent.version_note(installed.version)
    if not state["enabled"]:
        state["note"] = f"switched off; moor config set agents.{agent.id}.enabled true"
    return state


def _install(args: argparse.Namespace, ctx: Context) -> int:
    from moor.agents import load_agent
    from moor.agents.install import install_agent
    from moor.agents.recipe import Terms
    from moor.cli.inside import refuse_inside

    refuse_inside(ctx, "moor agents install")
    agent = load_agent(args.name)
    version = _version(args.version)
    terms = Terms(allow_new=args.allow_new)
    installed = install_agent(agent, ctx.home, ctx.environ, version, terms=terms, say=ctx.out.say)
    ctx.out.result(f"{agent.display_name} {installed.version}: {installed.path}")
    if note := agent.version_note(installed.version):
        ctx.out.warn(note)
    return int(ExitCode.OK)


def _remove(args: argparse.Namespace, ctx: Context) -> int:
    from moor.agents import load_agent
    from moor.agents.versions import remove
    from moor.cli.inside import refuse_inside

    refuse_inside(ctx, "moor agents remove")
    agent = load_agent(args.name)
    gone = remove(ctx.home, agent.id, _version(args.version))
    if not gone:
        raise UsageError(f"no such version of {agent.id} is installed", hint="moor agents")
    ctx.out.result(f"removed {agent.display_name} {', '.join(gone)}; its history stays in {ctx.home.root}")
    return int(ExitCode.OK)


def _version(text: str | None) -> str | None:
    """A plain version: it becomes a folder's name and part of a package's."""
    import re

    if text is not None and not re.fullmatch(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?", text):
        raise UsageError(f"{text!r} is no version", hint="write one like 1.18.33")
    return text
