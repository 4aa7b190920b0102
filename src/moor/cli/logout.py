"""`moor logout`: forget the credential of an upstream."""

from __future__ import annotations

import argparse

from moor.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor logout`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="upstream (default: the default one)")
    parser.add_argument("--all", action="store_true", help="of all upstreams")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Remove the stored credential; what runs keeps its token until that ends."""
    from moor.cli.inside import refuse_inside
    from moor.errors import UsageError
    from moor.store.credentials import CredentialStore
    from moor.upstreams import default_name, upstream_settings

    refuse_inside(ctx, "moor logout")
    if args.all and args.name:
        raise UsageError("--all stands alone", hint="moor logout --all")
    store = CredentialStore(ctx.home)
    if args.all:
        names = store.names()
    else:
        name = args.name or default_name(ctx.loaded.settings)
        if name not in store.names():
            upstream_settings(name, ctx.loaded.settings)
        names = [name]
    removed = [name for name in names if store.remove(name)]
    for name in removed:
        ctx.out.say(f"signed out of {name}; a personal access token stays valid until it is deleted in the workspace")
    if not removed:
        ctx.out.say("nobody was signed in" + (f" to {names[0]}" if len(names) == 1 else ""))
    return 0
