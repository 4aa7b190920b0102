"""`moor keys create|list|revoke`: keys of the stand-alone gateway."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.store.keys import GatewayKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor keys`."""
    from moor.cli.parser import positive_dollars

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key; it is shown once", allow_abbrev=False)
    create.add_argument("name", nargs="?", default="", metavar="NAME", help="to find it again")
    create.add_argument("--upstream", default="", metavar="NAME", help="upstream it may use (default: the default)")
    create.add_argument("--models", nargs="+", default=[], metavar="GLOB", help="models it may call (default: all)")
    create.add_argument("--budget-usd", type=positive_dollars, metavar="X", help="money cap of the key")
    create.add_argument("--json", action="store_true", help="one JSON object on stdout")
    listing = actions.add_parser("list", help="keys and what they may do", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="one JSON array on stdout")
    revoke = actions.add_parser("revoke", help="end a key", allow_abbrev=False)
    revoke.add_argument("key", metavar="ID|NAME")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action."""
    if args.action == "create":
        return _create(args, ctx)
    if args.action == "list":
        return _list(args, ctx)
    from moor.store.keys import KeyStore

    key = KeyStore(ctx.home, ctx.clock).revoke(args.key)
    ctx.out.say(f"{key.name or key.id} is revoked; a running gateway refuses it within a second")
    return 0


def _create(args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.inside import refuse_inside
    from moor.domain.policy import Policy, PolicyLayer
    from moor.store.keys import KeyStore
    from moor.store.settings import dollars_to_nano

    refuse_inside(ctx, "moor keys create")
    _check_upstream(args.upstream, ctx)
    policy = Policy().narrowed(PolicyLayer("key", allow=tuple(args.models)))
    budget = None if args.budget_usd is None else dollars_to_nano(args.budget_usd)
    key, secret = KeyStore(ctx.home, ctx.clock).create(args.name, args.upstream, policy, budget)
    if args.json:
        ctx.out.json({**_as_json(key), "key": secret.reveal()})
        return 0
    ctx.out.result(secret.reveal())
    ctx.out.say(f"this is the only time it is shown; revoke it: moor keys revoke {key.name or key.id}")
    return 0


def _check_upstream(name: str, ctx: Context) -> None:
    """Raises UnknownUpstream."""
    if name:
        from moor.upstreams import upstream_settings

        upstream_settings(name, ctx.loaded.settings)


def _list(args: argparse.Namespace, ctx: Context) -> int:
    from moor.store.keys import KeyStore

    found = KeyStore(ctx.home, ctx.clock).list() if ctx.home.db_path.exists() else []
    if args.json:
        ctx.out.json([_as_json(key) for key in found])
    elif not found:
        ctx.out.say("no keys yet: moor keys create NAME")
    else:
        rows = [_cells(key) for key in found]
        ctx.out.table(["id", "name", "upstream", "models", "budget $", "created", "state"], rows)
    return 0


def _cells(key: GatewayKey) -> list[str]:
    from moor.ledger.report import usd_text

    shown = _as_json(key)
    budget = "-" if key.budget_nano is None else usd_text(key.budget_nano)
    models = " ".join(shown["models"]) or "all"
    return [key.id, key.name or "-", key.upstream or "default", models, budget, shown["created"], shown["state"]]


def _as_json(key: GatewayKey) -> dict[str, Any]:
    from moor.ledger.report import exact_usd

    return {
        "id": key.id,
        "name": key.name,
        "upstream": key.upstream,
        "models": [pattern for layer in key.policy.layers for pattern in layer.allow],
        "budget_usd": exact_usd(key.budget_nano),
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(key.created_at)),
        "state": "active" if key.revoked_at is None else "revoked",
    }
