"""`moor calls list|show`: single model calls, from the ledger and, where payloads are kept, as they were said."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from moor.cli.context import Context
from moor.errors.base import UsageError

if TYPE_CHECKING:
    from moor.domain.call import Call
    from moor.gateway.payloads import Payload

CONVERSATION: Final = "conversation"
BYTES: Final = "bytes"
CHANGES: Final = "changes"
_SHOWN_CHARS: Final = 2_000
_CONTEXT_LINES: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor calls`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the newest calls", allow_abbrev=False)
    listing.add_argument("--session", default="", metavar="ID", help="of one session")
    listing.add_argument("--failed", action="store_true", help="only those that did not end well")
    listing.add_argument("-n", type=int, default=20, metavar="N", help="how many (20)")
    listing.add_argument("--json", action="store_true", help="one JSON array on stdout")
    show = actions.add_parser("show", help="one call", allow_abbrev=False)
    show.add_argument("id", metavar="ID", help="as moor calls list names it; its end is enough")
    show.add_argument(
        "--as",
        dest="form",
        choices=(CONVERSATION, BYTES, CHANGES),
        default=CONVERSATION,
        help="a conversation (default), the bytes, or what rules changed on the way",
    )
    show.add_argument("--full", action="store_true", help="long texts whole")
    show.add_argument("--json", action="store_true", help="the row as one JSON object on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action. Raises UsageError."""
    return _list(args, ctx) if args.action == "list" else _show(args, ctx)


def _list(args: argparse.Namespace, ctx: Context) -> int:
    from moor.ledger.calls import calls

    found = calls(ctx.home, session=args.session, failed=args.failed, limit=max(1, args.n))
    if args.json:
        ctx.out.json([_as_json(call) for call in found])
    elif not found:
        ctx.out.say("no calls")
    else:
        head = ["ID", "AT", "AGENT", "MODEL", "OUTCOME", "STATUS", "MS", "TOKENS", "TRIES", "RULES"]
        ctx.out.table(head, [_cells(call) for call in found], right=(5, 6, 7, 8))
    return 0


def _cells(call: Call) -> list[str]:
    at = time.strftime("%m-%d %H:%M:%S", time.localtime(call.started_at))
    model = f"{call.model} (asked: {call.asked})" if call.asked else call.model
    counts = [str(call.status), str(call.duration_ms), f"{call.usage.total:,}", str(call.attempts)]
    return [call.id, at, call.agent, model, call.outcome, *counts, " ".join(call.rules) or "-"]


def _as_json(call: Call) -> dict[str, Any]:
    import msgspec

    row: dict[str, Any] = msgspec.to_builtins(call)
    del row["draws"]
    names = ("model", "upstream", "status", "ms", "why")
    row["tries"] = [dict(zip(names, one, strict=True)) for one in row["tries"]]
    return row


def _show(args: argparse.Namespace, ctx: Context) -> int:
    from moor.gateway.payloads import read_payload
    from moor.ledger.calls import one_call

    call = one_call(ctx.home, args.id)
    if call is None:
        raise UsageError(f"there is no call {args.id}", hint="moor calls list")
    payload = read_payload(ctx.home, call.id)
    if args.json:
        import msgspec

        ctx.out.json({**_as_json(call), "payload": None if payload is None else msgspec.to_builtins(payload)})
        return 0
    for line in _facts(call):
        ctx.out.result(line)
    if payload is None:
        ctx.out.say("what was said is not kept; keep it from now on: moor config set log.payload_mb 200")
        return 0
    for line in _FORMS[args.form](payload, args.full):
        ctx.out.result(line)
    return 0


def _facts(call: Call) -> list[str]:
    from moor.ledger.report import usd_text

    usage = call.usage
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(call.started_at))
    cost = "unknown" if call.cost_nano is None else f"${usd_text(call.cost_nano)}"
    hour = f" ({usage.cache_write_1h} for an hour)" if usage.cache_write_1h else ""
    tokens = f"{usage.input} in, {usage.cache_read} from cache, {usage.cache_write} into it{hour}, {usage.output} out"
    asked = f"; asked: {call.asked}" if call.asked else ""
    facts = [
        ("call", f"{call.id}, {at}, {call.agent}, session {call.session}"),
        ("model", f"{call.model} of {call.upstream}, {call.dialect}{asked}"),
        ("ended", f"{call.outcome}, status {call.status}, {call.duration_ms} ms, first byte {call.first_byte_ms} ms"),
        ("used", f"{tokens}, {cost}" + (" (estimated)" if call.estimated else "")),
        ("rules", ", ".join(call.rules) or "none"),
        ("error", call.error),
        *(("try", f"{one.model} of {one.upstream}: {one.why} after {one.ms} ms") for one in call.tries),
    ]
    return [f"{name:7} {text}" for name, text in facts if text]


def _conversation(payload: Payload, full: bool) -> list[str]:
    from moor.cli.steps import clean
    from moor.wire.transcript import answer_turns, request_turns

    turns = [*request_turns(payload.asked), *answer_turns(payload.answered)]
    lines: list[str] = []
    for turn in turns:
        text = turn.text if full or len(turn.text) <= _SHOWN_CHARS else f"{turn.text[:_SHOWN_CHARS]} … (--full)"
        kind = "" if turn.kind == "text" else f" {turn.kind}"
        lines += ["", f"[{turn.role}{kind}]", clean(text)]
    return lines


def _bytes(payload: Payload, full: bool) -> list[str]:
    from moor.cli.steps import clean

    parts = [("the agent sent", payload.asked), ("it went upstream as", payload.sent), ("answered", payload.answered)]
    lines: list[str] = []
    for name, text in parts:
        shown = text if full or len(text) <= 10 * _SHOWN_CHARS else f"{text[: 10 * _SHOWN_CHARS]} … (--full)"
        lines += ["", f"[{name}]", clean(shown) or "(the same)"]
    return lines


def _changes(payload: Payload, full: bool) -> list[str]:
    import difflib

    from moor.cli.steps import clean
    from moor.wire.transcript import pretty

    if not payload.sent:
        return ["", "nothing was changed on the way"]
    before, after = (pretty(text).splitlines() for text in (payload.asked, payload.sent))
    lines = difflib.unified_diff(
        before, after, "agent", "upstream", lineterm="", n=10_000 if full else _CONTEXT_LINES
    )
    return ["", *(clean(line[:_SHOWN_CHARS]) for line in lines)]


_FORMS: Final = {CONVERSATION: _conversation, BYTES: _bytes, CHANGES: _changes}
