"""`moor trust`: let the programs of a repository's agent config in, for exactly the content that is shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from moor.cli.context import Context
from moor.errors.base import ExitCode

if TYPE_CHECKING:
    from moor.agents.base import Extra
    from moor.store.trust import TrustStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `moor trust`."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="folder of the repository (default: here)")
    parser.add_argument("--list", action="store_true", help="what is let in now")
    parser.add_argument("--revoke", action="store_true", help="let this repository in no longer")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="with --list: one JSON document")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Shows, asks, stores. Refused inside of a moor session: an agent must not let itself in."""
    from moor.agents.trust import repository_root
    from moor.cli.inside import refuse_inside
    from moor.errors.launch import NoSuchDirectory
    from moor.store.trust import TrustStore

    store = TrustStore(ctx.home, ctx.clock)
    if args.list:
        return _list(args, ctx, store)
    refuse_inside(ctx, "moor trust")
    path = Path(args.path).expanduser() if args.path else ctx.cwd
    if not path.is_dir():
        raise NoSuchDirectory(path=str(path))
    root = repository_root(str(path))
    if args.revoke:
        revoked = ctx.home.db_path.exists() and store.revoke(root)
        ctx.out.result(f"{root} is let in no longer" if revoked else f"{root} was not let in")
        return int(ExitCode.OK)
    return _trust(args, ctx, str(path), root, store)


def _trust(args: argparse.Namespace, ctx: Context, path: str, root: Path, store: TrustStore) -> int:
    from moor.agents.trust import digest, repository_extras
    from moor.errors.agent import TrustRefused

    extras = repository_extras(path, ctx.loaded.settings.agents)
    if not extras:
        ctx.out.result(f"{root} starts nothing: there is nothing to let in")
        return int(ExitCode.OK)
    if store.is_trusted(root, digest(extras)):
        ctx.out.result(f"{root} is let in already, with this content")
        return int(ExitCode.OK)
    _show(ctx, root, extras)
    if not args.yes:
        if not ctx.interactive:
            raise TrustRefused(why="nobody is there to be asked", hint=f"moor trust {root} --yes")
        if not _agreed(ctx):
            ctx.out.say("nothing was changed")
            return int(ExitCode.FAILED)
    ctx.home.ensure()
    store.trust(root, digest(extras))
    ctx.out.result(f"{root} is let in, as long as this content stays as it is; moor trust --revoke ends it")
    return int(ExitCode.OK)


def _show(ctx: Context, root: Path, extras: tuple[Extra, ...]) -> None:
    from moor.cli.steps import clean

    ctx.out.say(f"an agent started in {root} would start, with your rights:")
    for extra in extras:
        ctx.out.say(f"  {clean(extra.what)}  ({clean(extra.where)}): {clean(extra.does)[:200]}")
    ctx.out.say("they can do whatever you can, and what they load by themselves is not looked at")


def _agreed(ctx: Context) -> bool:
    import sys

    print("let them in? [y/N] ", end="", file=ctx.out.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _list(args: argparse.Namespace, ctx: Context, store: TrustStore) -> int:
    from moor.agents.trust import digest, repository_extras

    rows = []
    for item in store.list() if ctx.home.db_path.exists() else []:
        now = (
            digest(repository_extras(item.repo_root, ctx.loaded.settings.agents))
            if Path(item.repo_root).is_dir()
            else ""
        )
        rows.append({"repository": item.repo_root, "since": item.trusted_at, "holds": now == item.digest})
    if args.json:
        ctx.out.json(rows)
    elif not rows:
        ctx.out.result("no repository is let in")
    else:
        table = [[str(row["repository"]), "yes" if row["holds"] else "no, its content changed"] for row in rows]
        ctx.out.table(["REPOSITORY", "HOLDS"], table)
    return int(ExitCode.OK)
