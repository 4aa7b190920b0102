"""`moor usage`: calls, tokens and cost from the ledger."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Final

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.ledger.report import UsageRow

_HEAD: Final = ("calls", "failed", "input", "cache read", "cache write", "output", "reasoning", "cost $")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor usage`."""
    parser.add_argument(
        "--by",
        type=_dimensions,
        metavar="LIST",
        help="any of agent,model,day,session,user,repo,branch,upstream,subagent,asked,tag:NAME; default agent,model",
    )
    parser.add_argument("--since", metavar="WHEN", help="7d, 24h, today, or a date: 2026-01-31")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--last", action="store_true", help="the newest session only")
    which.add_argument("--session", metavar="ID", help="one session only")
    parser.add_argument("--json", action="store_true", help="one JSON array of rows on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Ask the ledger and print."""
    from moor.ledger.period import since_epoch
    from moor.ledger.report import AGENT, DIMENSIONS, MODEL, totals, usage_rows

    since = since_epoch(args.since, ctx.clock.now()) if args.since else None
    by = args.by or (DIMENSIONS if args.json else (AGENT, MODEL))
    rows = usage_rows(ctx.home, by, since, args.session, args.last)
    if args.json:
        ctx.out.json([row.as_json() for row in rows])
        return 0
    if not rows:
        ctx.out.say(_nothing(args))
        return 0
    whole = totals(ctx.home, since, args.session, args.last)
    _print(ctx, by, rows, whole)
    return 0


def _dimensions(text: str) -> tuple[str, ...]:
    from moor.ledger.report import ALL_DIMENSIONS, TAG

    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in ALL_DIMENSIONS and name.removeprefix(TAG) in ("", name)]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r}: choose from {','.join(ALL_DIMENSIONS)},{TAG}NAME")
    return names


def _nothing(args: argparse.Namespace) -> str:
    if args.since or args.session or args.last:
        return "no calls in that selection (moor usage shows all)"
    return 'no calls yet: moor run "hello" makes the first'


def _print(ctx: Context, by: tuple[str, ...], rows: list[UsageRow], whole: UsageRow) -> None:
    lines = [[*(row.by[name] or "-" for name in by), *_cells(row)] for row in rows]
    lines.append(["total", *[""] * (len(by) - 1), *_cells(whole)])
    ctx.out.table([*by, *_HEAD], lines, right=range(len(by), len(by) + len(_HEAD)))
    for note in _notes(by, whole):
        ctx.out.say(note)


def _cells(row: UsageRow) -> list[str]:
    from moor.ledger.report import usd_text

    usage = row.usage
    tokens = (usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning)
    cost = "?" if row.cost_nano is None else usd_text(row.cost_nano)
    mark = "*" if row.estimated.calls else ""
    return [str(row.calls), str(row.failed), *(f"{count:,}" for count in tokens), cost + mark]


def _notes(by: tuple[str, ...], whole: UsageRow) -> list[str]:
    """What a reader must know to read the table rightly."""
    from moor.ledger.report import usd_text

    notes: list[str] = []
    if whole.unpriced:
        notes.append(
            f"? no price is known for {whole.unpriced} of the calls; "
            f"those with a known price cost ${usd_text(whole.whole.cost_nano)}"
        )
    part = whole.estimated
    if part.calls:
        tokens = part.usage.total
        notes.append(
            f"* the final usage of {part.calls} calls never came; estimated and included: {tokens:,} tokens, "
            f"${usd_text(part.cost_nano)}; without them ${usd_text(whole.final.cost_nano)}"
        )
    if "day" in by:
        notes.append(f"days are those of the local time zone ({time.strftime('%Z')})")
    return notes
