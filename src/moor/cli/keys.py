"""`moor keys create|list|revoke`: keys of the stand-alone gateway."""

from __future__ import annotations

import argparse
import time
from shlex import quote
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.store.keys import GatewayKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor keys`."""
    from moor.cli.parser import add_tag, positive_dollars, positive_tokens

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key; it is shown once", allow_abbrev=False)
    create.add_argument("name", nargs="?", default="", metavar="NAME", help="to find it again")
    create.add_argument("--upstream", default="", metavar="NAME", help="upstream it may use (default: the default)")
    create.add_argument("--models", nargs="+", default=[], metavar="GLOB", help="models it may call (default: all)")
    create.add_argument("--name", dest="named", default="", metavar="NAME", help="the same")
    create.add_argument("--budget-tokens", type=positive_tokens, metavar="N", help="token cap of the key")
    create.add_argument("--rpm", type=positive_tokens, metavar="N", help="calls a minute")
    create.add_argument("--tpm", type=positive_tokens, metavar="N", help="tokens a minute")
    create.add_argument("--expires", type=_span, metavar="TIME", help="end it after 12h, 30d, 8w (default: never)")
    create.add_argument("--budget-usd", type=positive_dollars, metavar="X", help="money cap of the key")
    add_tag(create)
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
    from moor.cli.parser import labels
    from moor.domain.policy import Policy, PolicyLayer
    from moor.store.keys import KeyStore
    from moor.store.settings import dollars_to_nano

    refuse_inside(ctx, "moor keys create")
    _check_upstream(args.upstream, ctx)
    policy = Policy().narrowed(PolicyLayer("key", allow=tuple(args.models)))
    budget = None if args.budget_usd is None else dollars_to_nano(args.budget_usd)
    key, secret = KeyStore(ctx.home, ctx.clock).create(
        args.name or args.named,
        args.upstream,
        policy,
        budget,
        labels(args.tag),
        budget_tokens=args.budget_tokens,
        rpm=args.rpm,
        tpm=args.tpm,
        expires_at=None if args.expires is None else ctx.clock.now() + args.expires,
    )
    if args.json:
        ctx.out.json({**_as_json(key), "key": secret.reveal()})
        return 0
    ctx.out.result(secret.reveal())
    ctx.out.say(f"this is the only time it is shown; revoke it: moor keys revoke {quote(key.name or key.id)}")
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
        ctx.out.table(["id", "name", "labels", "upstream", "models", "budget", "a minute", "expires", "state"], rows)
    return 0


def _cells(key: GatewayKey) -> list[str]:
    from moor.ledger.report import usd_text

    shown = _as_json(key)
    caps = [*([f"${usd_text(key.budget_nano)}"] if key.budget_nano is not None else [])]
    caps += [f"{key.budget_tokens} tokens"] if key.budget_tokens is not None else []
    rates = [f"{count} {unit}" for count, unit in ((key.rpm, "calls"), (key.tpm, "tokens")) if count is not None]
    models = " ".join(shown["models"]) or "all"
    tags = " ".join(f"{name}={value}" for name, value in sorted(key.tags.items()))
    cells = [key.id, key.name or "-", tags or "-", key.upstream or "default", models, ", ".join(caps) or "-"]
    return [*cells, ", ".join(rates) or "-", shown["expires"] or "never", shown["state"]]


def _as_json(key: GatewayKey) -> dict[str, Any]:
    from moor.ledger.report import exact_usd

    return {
        "id": key.id,
        "name": key.name,
        "tags": key.tags,
        "upstream": key.upstream,
        "models": [pattern for layer in key.policy.layers for pattern in layer.allow],
        "budget_usd": exact_usd(key.budget_nano),
        "budget_tokens": key.budget_tokens,
        "rpm": key.rpm,
        "tpm": key.tpm,
        "created": _moment(key.created_at),
        "expires": None if key.expires_at is None else _moment(key.expires_at),
        "state": _state(key),
    }


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(at))


def _state(key: GatewayKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= time.time() else "active"


def _span(text: str) -> float:
    """`12h`, `30d`, `8w` in seconds."""
    units = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
    if text[-1:] not in units or not text[:-1].isdigit() or not 0 < int(text[:-1]) < 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 12h, 30d or 8w")
    return int(text[:-1]) * units[text[-1]]
