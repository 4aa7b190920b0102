"""`moor agents`: which are known, installed, tested, the newest; install, upgrade, remove, switch on and off."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context
from moor.errors.base import ExitCode, MoorError, UsageError

if TYPE_CHECKING:
    from moor.agents.base import Agent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions; without one: the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--newest", action="store_true", help="ask the registries for the newest releases")
    install = actions.add_parser("install", help="install agents: the tested versions, or the one named")
    _add_names(install)
    install.add_argument("--all", action="store_true", help="all agents that are switched on")
    _add_version(install)
    install.add_argument("--from", dest="archive", metavar="PATH", help="packages from this file or folder")
    upgrade = actions.add_parser("upgrade", help="bring installed agents to the tested versions, or to the newest")
    _add_names(upgrade)
    upgrade.add_argument("--newest", action="store_true", help="to what the registry calls the latest")
    _add_version(upgrade)
    remove = actions.add_parser("remove", help="remove agents that moor installed")
    _add_names(remove)
    remove.add_argument("--version", metavar="V", help="this version only")
    enable = actions.add_parser("enable", help="switch agents on")
    _add_names(enable)
    enable.add_argument("--path", action="store_true", help="where moor installed none, the program on PATH will do")
    _add_names(actions.add_parser("disable", help="switch agents off: neither started nor installed"))


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="agents")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", metavar="V", help="another version than the tested one")
    parser.add_argument("--allow-new", action="store_true", help="also a release of the last days")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Exit code 5 when an install fails."""
    if not args.action:
        return _list(args, ctx)
    from moor.cli.inside import refuse_inside

    refuse_inside(ctx, f"moor agents {args.action}")
    if args.action in ("install", "upgrade"):
        from moor.cli import installs

        return installs.install(args, ctx) if args.action == "install" else installs.upgrade(args, ctx)
    if args.action == "remove":
        return _remove(args, ctx)
    return _switch(args, ctx)


def _list(args: argparse.Namespace, ctx: Context) -> int:
    from moor.agents import agent_names, load_agent
    from moor.agents.newest import remembered

    described = ctx.loaded.settings.agents
    agents = [load_agent(agent_id, described) for agent_id in agent_names(described)]
    if args.newest:
        from moor.cli.installs import ask_all

        ask_all(agents, ctx)
    newest = remembered(ctx.home)
    found = [_state(agent, ctx) for agent in agents]
    for one in found:
        answer = newest.get(one["agent"])
        one["newest"], one["newest_asked_at"] = (answer.version, answer.asked_at) if answer else (None, None)
    if args.json:
        ctx.out.json(found)
        return int(ExitCode.OK)
    columns = ("agent", "installed", "tested", "newest", "source", "note")
    rows = [[one[column] or ("" if column == "note" else "-") for column in columns] for one in found]
    ctx.out.table(["AGENT", "INSTALLED", "TESTED", "NEWEST", "FROM", "NOTE"], rows)
    return int(ExitCode.OK)


def _state(agent: Agent, ctx: Context) -> dict[str, Any]:
    from moor.agents.recipe import installed_versions

    group = ctx.loaded.settings.agent(agent.id)
    state: dict[str, Any] = {
        "agent": agent.id,
        "name": agent.display_name,
        "enabled": group.enabled,
        "installed": None,
        "versions": sorted(installed_versions(ctx.home.agents_dir / agent.id)),
        "tested": agent.pinned_version,
        "source": None,
        "path": None,
        "note": "",
    }
    try:
        installed = agent.find(ctx.home, ctx.environ, use_path=group.use_path)
    except MoorError as error:
        state["note"] = f"{error.message}; {error.hint}"
    else:
        state.update(installed=installed.version, source=installed.source, path=installed.path)
        state["note"] = agent.version_note(installed.version)
    if not group.enabled:
        state["note"] = f"switched off; moor agents enable {agent.id}"
    return state


def _remove(args: argparse.Namespace, ctx: Context) -> int:
    from moor.agents.versions import remove
    from moor.cli.named import named_agents, plain_version

    agents, version = named_agents(args.names, ctx, args.action), plain_version(args.version)
    for agent in agents:
        gone = remove(ctx.home, agent.id, version)
        if not gone:
            raise UsageError(f"no such version of {agent.id} is installed", hint="moor agents")
        ctx.out.result(f"removed {agent.display_name} {', '.join(gone)}; its history stays in {ctx.home.root}")
    return int(ExitCode.OK)


def _switch(args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.named import named_agents
    from moor.store.settings_edit import set_values

    on = args.action == "enable"
    agents = named_agents(args.names, ctx, args.action)
    values = {f"agents.{agent.id}.enabled": on for agent in agents}
    by_path = on and args.path
    if by_path:
        values |= {f"agents.{agent.id}.use_path": True for agent in agents}
    set_values(ctx.home, values)
    for agent in agents:
        ctx.out.result(f"{agent.display_name} is switched {'on' if on else 'off'}")
        if by_path:
            _say_which_program(agent, ctx)
    return int(ExitCode.OK)


def _say_which_program(agent: Agent, ctx: Context) -> None:
    try:
        found = agent.find(ctx.home, ctx.environ, use_path=True)
    except MoorError as error:
        ctx.out.warn(f"{error.message}; {error.hint}")
        return
    ctx.out.say(f"it starts {found.path} ({found.version})")
    if found.source != "path":
        ctx.out.say(f"the one on PATH is taken when moor has none of its own: moor agents remove {agent.id}")
