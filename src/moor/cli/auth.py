"""`moor auth status`: what is signed in, as whom, for how long."""

from __future__ import annotations

import argparse
from typing import Any

from moor.cli.context import Context
from moor.errors import ExitCode, MoorError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor auth`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    status = actions.add_parser("status", help="credentials of all upstreams", allow_abbrev=False)
    status.add_argument("--check", action="store_true", help="ask each upstream over the network, renewing as needed")
    status.add_argument("--json", action="store_true", help="one JSON array on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One row an upstream. Exit 3 when an upstream lacks a credential, 4 when --check cannot reach one."""
    from moor.errors.upstream import NoUpstream

    settings = ctx.loaded.settings
    rows = [_row(name, ctx, check=args.check) for name in settings.upstreams]
    if args.json:
        ctx.out.json(rows)
    elif not rows:
        ctx.out.say("no upstream is set up; " + NoUpstream().hint)
    else:
        _print(rows, ctx)
    codes = [int(row["exit_code"]) for row in rows]
    return max(codes, default=0)


def _print(rows: list[dict[str, Any]], ctx: Context) -> None:
    head = ("UPSTREAM", "KIND", "AUTH", "USER", "STATE")
    ctx.out.table(head, [[str(row[key]) for key in ("upstream", "kind", "auth", "user", "text")] for row in rows])
    for row in rows:
        if row["hint"]:
            ctx.out.say(f"{row['upstream']}: {row['hint']}")


def _row(name: str, ctx: Context, *, check: bool) -> dict[str, Any]:
    settings = ctx.loaded.settings.upstreams[name]
    row: dict[str, Any] = {
        "upstream": name,
        "kind": settings.kind,
        "host": settings.host or settings.base_url,
        "auth": "",
        "user": "",
        "expires_at": None,
        "renewed": False,
        "state": "ok",
        "ref": "",
        "text": "",
        "hint": "",
        "exit_code": 0,
    }
    try:
        row |= _standing(name, ctx)
        if check and not row["exit_code"]:
            row |= _checked(name, ctx)
    except MoorError as error:
        row |= {
            "state": "failed",
            "ref": error.ref,
            "text": error.message,
            "hint": error.hint,
            "exit_code": int(error.exit_code),
        }
    return row


def _standing(name: str, ctx: Context) -> dict[str, Any]:
    """As files and environment tell; no network."""
    from moor.store.credentials import CredentialStore
    from moor.upstreams import open_upstream
    from moor.workspace.kinds import OAUTH

    settings = ctx.loaded.settings.upstreams[name]
    upstream = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock)
    if upstream.needs_sign_in():
        needs = f"export {settings.api_key_env}=…" if settings.api_key_env else f"moor login --upstream {name}"
        return {"state": "missing", "text": "not signed in", "hint": needs, "exit_code": int(ExitCode.SIGN_IN)}
    stored = CredentialStore(ctx.home).load(name)
    if stored is None:
        return {"auth": settings.auth or ("key" if settings.api_key_env else "none"), "text": "asked for when needed"}
    renewed = stored.refresh_token is not None
    row = {"auth": stored.kind, "user": stored.user, "expires_at": stored.expires_at, "renewed": renewed}
    left = None if stored.expires_at is None else stored.expires_at - ctx.clock.now()
    if stored.kind == OAUTH and not renewed and left is not None and left <= 0:
        hint = f"moor login --upstream {name}"
        row |= {"state": "ended", "text": "the session has ended", "hint": hint, "exit_code": int(ExitCode.SIGN_IN)}
        return row
    return {**row, "text": _life(left, renewed)}


def _life(left_s: float | None, renewed: bool) -> str:
    if left_s is None:
        return "signed in"
    span = f"{left_s / 60:.0f} min" if left_s >= 120 else f"{max(0, left_s):.0f} s"
    return f"signed in; token for {span} more" + (", renewed by moor" if renewed else "")


def _checked(name: str, ctx: Context) -> dict[str, Any]:
    """Ask for the models: proves credential, route and network at once."""
    from moor.upstreams import open_upstream

    settings = ctx.loaded.settings.upstreams[name]
    catalogue = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock).refresh_catalogue()
    return {"user": catalogue.user, "text": f"answers; {len(catalogue.models)} models"}
