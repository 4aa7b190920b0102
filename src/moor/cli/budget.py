"""`moor budget show|raise`: what caps there are, how they stand, and a person's word to go on."""

from __future__ import annotations

import argparse
from shlex import quote
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context
from moor.domain.budget import KEY_LEVEL
from moor.errors.base import UsageError

if TYPE_CHECKING:
    from moor.domain.budget import Cap, Standing
    from moor.domain.session import Session
    from moor.store.keys import GatewayKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor budget`."""
    from moor.cli.parser import positive_dollars, positive_tokens

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="caps in force and what is left", allow_abbrev=False)
    show.add_argument("--session", default="", metavar="ID", help="a session's own (default: those that run)")
    show.add_argument("--json", action="store_true", help="one JSON array on stdout")
    more = actions.add_parser("raise", help="let running and later sessions spend more", allow_abbrev=False)
    more.add_argument(
        "name", metavar="NAME", help="as moor budget show names it: session, one of [budgets], or key:NAME"
    )
    more.add_argument("--session", default="", metavar="ID", help="which session (default: the one that runs)")
    more.add_argument("--usd", type=positive_dollars, metavar="X", help="the new cap in dollars")
    more.add_argument("--tokens", type=positive_tokens, metavar="N", help="the new cap in tokens")
    more.add_argument("--release", action="store_true", help="free what killed processes still hold")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action. Raises UsageError, ConfigError, InsideSessionError."""
    return _show(args, ctx) if args.action == "show" else _raise(args, ctx)


def _show(args: argparse.Namespace, ctx: Context) -> int:
    rows = [(session, found) for session, cap in _caps(args.session, ctx) for found in _standings(cap, ctx)]
    if args.json:
        ctx.out.json([_as_json(session, found) for session, found in rows])
        return 0
    if not rows:
        ctx.out.say("no caps: moor --budget-usd 5 AGENT, or [budgets.daily] usd = 20 in the config")
        return 0
    _print(rows, ctx)
    return 0


def _print(rows: list[tuple[str, Standing]], ctx: Context) -> None:
    ctx.out.table(
        ["CAP", "OVER", "LIMIT", "SPENT", "HELD", "LEFT", "USED", "SET BY"],
        [_row(session, one) for session, one in rows],
    )
    if any(found.lost for _, found in rows):
        ctx.out.say("held includes what killed processes had taken; free it: moor budget raise NAME --release")


def _row(session: str, found: Standing) -> list[str]:
    from moor.gateway.budget import amount

    cap = found.cap
    per = "the key's life" if cap.of_key else cap.per
    over = [session or per, *(part for part in (cap.upstream, cap.tag) if part)]
    held = found.held + found.lost
    parts = [amount(cap, value) for value in (cap.limit, found.spent, held, found.free)]
    return [cap.name, " ".join(over), *parts, f"{found.percent} %", cap.level or "command line"]


def _as_json(session: str, found: Standing) -> dict[str, Any]:
    from moor.domain.budget import MONEY
    from moor.domain.models import NANO

    cap = found.cap
    counts: dict[str, float] = {
        "limit": cap.limit,
        "spent": found.spent,
        "held": found.held,
        "lost": found.lost,
        "left": found.free,
    }
    if cap.unit == MONEY:
        counts = {name: value / NANO for name, value in counts.items()}
    return {
        "name": cap.name,
        "per": KEY_LEVEL if cap.of_key else cap.per,
        "session": session or None,
        "upstream": cap.upstream or None,
        "tag": cap.tag or None,
        "unit": cap.unit,
        **counts,
        "percent": found.percent,
        "level": cap.level or "command line",
    }


def _caps(session_id: str, ctx: Context) -> list[tuple[str, Cap]]:
    """(session, cap): those over many sessions once, those of keys, then those of each session that is meant."""
    from moor.domain.budget import SESSION, tightest
    from moor.store.keys import caps_of

    sessions = [_session(session_id, ctx)] if session_id else _running(ctx)
    many = [cap for cap in ctx.loaded.caps if cap.per != SESSION]
    many += [cap for session in sessions for cap in session.all_caps() if cap.per != SESSION]
    found = [("", cap) for cap in tightest(many)]
    if not session_id:
        default = ctx.loaded.settings.defaults.upstream
        found += [
            ("", cap) for key in _keys(ctx) for cap in caps_of(key, key.upstream or default, ctx.loaded.all_caps)
        ]
    for session in sessions:
        found += [(session.id, cap) for cap in session.all_caps() if cap.per == SESSION and cap.session == session.id]
    return found


def _standings(cap: Cap, ctx: Context) -> list[Standing]:
    from moor.ledger.leases import standing

    if not ctx.home.db_path.exists():
        from moor.domain.budget import Standing

        return [Standing(cap=cap, scope=cap.scope(ctx.clock.now()), spent=0, held=0, lost=0)]
    return [standing(ctx.home, cap, ctx.clock.now())]


def _raise(args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.inside import refuse_inside
    from moor.domain.budget import MONEY, SESSION, TOKENS

    refuse_inside(ctx, f"moor budget raise {args.name}")
    if args.usd is None and args.tokens is None and not args.release:
        raise UsageError(
            "nothing to change", hint=f"moor budget raise {quote(args.name)} --usd X, or --tokens N, or --release"
        )
    found = [(session, cap) for session, cap in _caps(args.session, ctx) if cap.name == args.name]
    if not found:
        raise UsageError(f"there is no cap named {args.name}", hint="moor budget show")
    if args.release:
        _release([cap for _, cap in found], ctx)
    limits = {}
    if args.usd is not None:
        from moor.store.settings import dollars_to_nano

        limits[MONEY] = dollars_to_nano(args.usd)
    if args.tokens is not None:
        limits[TOKENS] = args.tokens
    if not limits:
        return 0
    if found[0][1].per == SESSION and found[0][0]:
        _one_session(found, args)
    _check_level([cap for _, cap in found if cap.unit in limits], args.name, ctx)
    if found[0][1].of_key:
        _change_key([cap for _, cap in found], limits, args.name, ctx)
        return 0
    _change_settings(args, ctx)
    _change_sessions(args.name, limits, {session for session, _ in found if session}, ctx)
    ctx.out.say(f"{args.name} is raised; running sessions go on from their next call")
    return 0


def _one_session(found: list[tuple[str, Cap]], args: argparse.Namespace) -> None:
    ids = sorted({session for session, _ in found})
    if len(ids) > 1:
        raise UsageError(
            f"{len(ids)} sessions run: {', '.join(ids)}", hint=f"moor budget raise {quote(args.name)} --session ID"
        )


def _check_level(caps: list[Cap], name: str, ctx: Context) -> None:
    """Who set a cap raises it: an administrator's stays, a repository's stands in its own file."""
    from moor.domain.settings import ADMINISTRATOR
    from moor.store.settings import PROJECT, USER

    for cap in caps:
        if cap.level == ADMINISTRATOR:
            raise UsageError(f"the cap {name} is the administrator's", hint=f"it stands in {ctx.loaded.admin_path}")
        if cap.level == PROJECT:
            raise UsageError(f"the cap {name} is this repository's", hint=f"it stands in {ctx.loaded.project_path}")
        if cap.level == USER and cap.of_key:
            problem = f"your config allows no session more than the cap {name}, and no key either"
            raise UsageError(problem, hint=f"change it in {ctx.home.config_path}, then start the gateway again")


def _change_key(caps: list[Cap], limits: dict[str, int], name: str, ctx: Context) -> None:
    from moor.domain.budget import SESSION
    from moor.gateway.budget import amount
    from moor.store.keys import KeyStore

    missing = sorted(set(limits) - {cap.unit for cap in caps})
    if missing:
        raise UsageError(f"{name} has no cap in {missing[0]}", hint="moor budget show")
    KeyStore(ctx.home, ctx.clock).allow(caps[0].session, limits)
    ctx.out.say(f"{name} is raised; a running gateway knows it within a second")
    lower = [cap for cap in ctx.loaded.all_caps if cap.per == SESSION and cap.limit < limits.get(cap.unit, 0)]
    for cap in lower:
        told = amount(cap, cap.limit)
        ctx.out.say(f"but a policy ({cap.level}) allows each session and each key {told}, and that holds")


def _change_settings(args: argparse.Namespace, ctx: Context) -> None:
    if args.name not in ctx.loaded.settings.budgets:
        return
    from moor.store.settings_edit import set_values

    values = {"usd": args.usd, "tokens": args.tokens}
    set_values(ctx.home, {f"budgets.{args.name}.{key}": value for key, value in values.items() if value is not None})


def _change_sessions(name: str, limits: dict[str, int], only: set[str], ctx: Context) -> None:
    """The rows of running sessions: their gateways read them when they ask for more."""
    import msgspec

    from moor.domain.budget import MONEY, SESSION
    from moor.store.sessions import SessionStore

    store = SessionStore(ctx.home)
    try:
        for session in store.all(active=True):
            if only and session.id not in only and not any(cap.session in only for cap in session.caps):
                continue
            changes: dict[str, object] = {}
            caps = tuple(
                msgspec.structs.replace(cap, limit=limits[cap.unit])
                if cap.name == name and cap.unit in limits
                else cap
                for cap in session.caps
            )
            if caps != session.caps:
                changes["caps"] = caps
            if name == SESSION and MONEY in limits and session.budget_nano is not None:
                changes["budget_nano"] = limits[MONEY]
            if changes:
                store.update(session.id, **changes, warning="")
    finally:
        store.close()


def _release(caps: list[Cap], ctx: Context) -> None:
    from moor.gateway.budget import amount
    from moor.ledger.leases import release_lost

    for cap in caps:
        freed = release_lost(ctx.home, cap, ctx.clock.now())
        ctx.out.say(f"{cap.name}: {amount(cap, freed)} freed" if freed else f"{cap.name}: nothing was held")


def _keys(ctx: Context) -> list[GatewayKey]:
    if not ctx.home.db_path.exists():
        return []
    from moor.store.keys import KeyStore

    return KeyStore(ctx.home, ctx.clock).active()


def _running(ctx: Context) -> list[Session]:
    if not ctx.home.db_path.exists():
        return []
    from moor.store.sessions import SessionStore

    store = SessionStore(ctx.home)
    try:
        return store.all(active=True)
    finally:
        store.close()


def _session(session_id: str, ctx: Context) -> Session:
    from moor.store.sessions import SessionStore

    store = SessionStore(ctx.home)
    try:
        found = store.get(session_id)
    finally:
        store.close()
    if found is None:
        raise UsageError(f"there is no session {session_id}", hint="moor ps --all")
    return found
