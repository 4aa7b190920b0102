"""`moor ps`: sessions and what each is doing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.cli.sessions import Seen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor ps`."""
    parser.add_argument("--all", action="store_true", help="ended sessions too, the newest 200")
    parser.add_argument("--json", action="store_true", help="one JSON array on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """List them."""
    from moor.cli.sessions import as_json, seen_sessions

    found = seen_sessions(ctx.home, ctx.clock, ended=args.all)
    if args.json:
        ctx.out.json([as_json(seen) for seen in found])
    elif not found:
        ctx.out.say("no sessions yet" if args.all else "nothing runs (moor ps --all lists what ran)")
    else:
        _print(found, ctx)
    return 0


def _print(found: list[Seen], ctx: Context) -> None:
    ctx.out.table(
        ["session", "agent", "state", "age", "calls", "tokens", "cost $", "model", "directory"],
        [_cells(seen, ctx.environ.get("HOME", "")) for seen in found],
        right=(3, 4, 5, 6),
    )
    for seen in found:
        if seen.session.warning and seen.session.ended_at is None:
            ctx.out.warn(f"{seen.session.id}: {seen.session.warning}")


def _cells(seen: Seen, user_home: str) -> list[str]:
    from moor.cli.sessions import age_text
    from moor.ledger.report import usd_text

    session, used = seen.session, seen.used
    cost = "?" if used.cost_nano is None else usd_text(used.cost_nano)
    where = session.cwd
    if user_home and (where == user_home or where.startswith(user_home + "/")):
        where = "~" + where[len(user_home) :]
    return [
        session.id,
        session.agent or "-",
        seen.state,
        age_text(seen.age_s),
        str(used.calls),
        f"{used.usage.total:,}",
        cost,
        session.model or "-",
        where or "-",
    ]
