"""`moor models`: id, family, context, price, dialects, READY, allowed or why not, and what is configured."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from moor.cli.context import Context
from moor.errors import ExitCode

if TYPE_CHECKING:
    from moor.domain.models import Catalogue, Model, Price


class Row(NamedTuple):
    """One model as it is shown."""

    model: Model
    why_not: str | None
    configured: tuple[str, ...]
    alias_of: str
    """the id listed first for the same model; empty for that one itself"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor models`."""
    parser.add_argument("--upstream", metavar="NAME", help="upstream to list (default: the default one)")
    parser.add_argument("--refresh", action="store_true", help="ask the upstream again")
    parser.add_argument("--all", action="store_true", help="second names of the same model too")
    parser.add_argument("--check", action="store_true", help="exit 1 when a configured model cannot be called")
    parser.add_argument("--json", action="store_true", help="one JSON array on stdout, always of all")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """List, and check where wanted."""
    catalogue = _catalogue(args, ctx)
    rows = rows_of(catalogue, ctx)
    if args.json:
        ctx.out.json([_as_json(row) for row in rows])
    else:
        _print(rows if args.all else [row for row in rows if not row.alias_of or row.configured], ctx)
        hidden = sum(1 for row in rows if row.alias_of and not row.configured)
        if hidden and not args.all:
            ctx.out.say(f"{hidden} second names of the same models are left out; moor models --all")
        for reason in catalogue.reasons:
            ctx.out.warn(f"not listed in full: {reason}")
    return _check(catalogue, rows, ctx) if args.check else 0


def rows_of(catalogue: Catalogue, ctx: Context) -> list[Row]:
    """Every model with what policy and settings say of it."""
    from moor.workspace.naming import normal_id

    configured = _configured(ctx)
    first: dict[str, str] = {}
    rows = []
    for model in catalogue.models:
        known = first.setdefault(normal_id(model.id), model.id)
        alias_of = "" if known == model.id else known
        rows.append(Row(model, ctx.loaded.policy.why_not(model.id), configured.get(model.id, ()), alias_of))
    return rows


def _catalogue(args: argparse.Namespace, ctx: Context) -> Catalogue:
    from moor.errors.upstream import CatalogueMissingError
    from moor.upstreams import default_name, open_upstream, upstream_settings

    name = default_name(ctx.loaded.settings)
    found = upstream_settings(name, ctx.loaded.settings)
    upstream = open_upstream(name, found, ctx.home, ctx.environ, ctx.clock)
    if args.refresh:
        upstream.refresh_catalogue()
    try:
        return upstream.catalogue()
    except CatalogueMissingError:
        upstream.refresh_catalogue()
        return upstream.catalogue()


def _configured(ctx: Context) -> dict[str, tuple[str, ...]]:
    """Model id to the settings that name it."""
    settings = ctx.loaded.settings
    named = [("default", settings.defaults.model), ("small", settings.defaults.small_model)]
    for agent, group in settings.agents.items():
        named += [(agent, group.model), (f"{agent} small", group.small_model)]
    found: dict[str, tuple[str, ...]] = {}
    for what, model_id in named:
        if model_id:
            found[model_id] = (*found.get(model_id, ()), what)
    return found


def _check(catalogue: Catalogue, rows: list[Row], ctx: Context) -> int:
    by_id = {row.model.id: row for row in rows}
    wrong = []
    for model_id, named in _configured(ctx).items():
        if problem := _problem(by_id.get(model_id), catalogue.upstream):
            wrong.append(f"{model_id} ({', '.join(named)}) is {problem}")
    for line in wrong:
        ctx.out.warn(line)
    if not wrong:
        ctx.out.say("every configured model can be called")
    return int(ExitCode.FAILED) if wrong else 0


def _problem(row: Row | None, upstream: str) -> str:
    """Why a configured model cannot be called; empty when it can."""
    if row is None:
        return f"not served by {upstream}"
    if row.model.ready is False:
        return "not ready"
    return row.why_not or ""


def _print(rows: list[Row], ctx: Context) -> None:
    head = ("MODEL", "FAMILY", "CONTEXT", "$/M IN", "$/M OUT", "DIALECTS", "READY", "ALLOWED", "CONFIGURED")
    table = [
        (
            row.model.id,
            row.model.family,
            tokens(row.model.context),
            dollars(row.model.price, "input"),
            dollars(row.model.price, "output"),
            ", ".join(row.model.dialects),
            {True: "READY", False: "NOT READY", None: "-"}[row.model.ready],
            row.why_not or "yes",
            ", ".join(row.configured),
        )
        for row in rows
    ]
    ctx.out.table(head, table, right=(2, 3, 4))


def tokens(count: int | None) -> str:
    """`200k`, `1M`; `-` where unknown."""
    if count is None:
        return "-"
    if count >= 1_000_000:
        return f"{count / 1_000_000:.3g}M"
    return f"{count // 1000}k" if count >= 1000 else str(count)


def dollars(price: Price | None, kind: str) -> str:
    """Dollars per million tokens; `-` where no price is known."""
    from moor.domain.models import NANO

    if price is None:
        return "-"
    value = getattr(price, kind) / NANO
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"


def _as_json(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(row.model)
    return {
        **plain,
        "price": _price_json(row.model.price),
        "allowed": row.why_not is None,
        "why_not": row.why_not,
        "configured": list(row.configured),
        "alias_of": row.alias_of or None,
    }


def _price_json(price: Price | None) -> dict[str, Any] | None:
    """Dollars per million tokens by kind, like every other amount of a JSON answer; where and when it was stated."""
    from moor.domain.models import NANO

    if price is None:
        return None
    kinds = ("input", "output", "cache_read", "cache_write")
    return {
        **{kind: getattr(price, kind) / NANO for kind in kinds},
        "unit": "usd_per_million_tokens",
        "source": price.source,
        "date": price.date,
    }
