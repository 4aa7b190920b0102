"""`moor top`: sessions, calls under way, tokens a second, money against caps, waits, models that rest; live."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Final

import msgspec

from moor.cli.context import Context

if TYPE_CHECKING:
    from rich.console import RenderableType

    from moor.cli.sessions import Seen
    from moor.gateway.live import Live, Running

_FIRST_BYTES: Final = 20
"""calls whose first bytes make the median"""
_HEAD: Final = ("SESSION", "AGENT", "STATE", "CALLS", "TOK/S", "TOKENS", "COST", "CAP", "1ST BYTE", "WHERE")
_RIGHT: Final = frozenset(("CALLS", "TOK/S", "TOKENS", "COST", "CAP", "1ST BYTE"))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One session."""

    session: str
    agent: str
    state: str
    calls: int
    tokens: int
    """of committed calls and of those under way"""
    cost_nano: int | None
    caps: tuple[tuple[str, int], ...]
    """(name, used percent)"""
    first_byte_ms: int | None
    """median of the last calls"""
    where: str
    running: tuple[Running, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One look at everything."""

    at: float
    lines: tuple[Line, ...]
    resting: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor top`."""
    parser.add_argument("--once", action="store_true", help="one look, then end")
    parser.add_argument("--every", type=float, default=1.0, metavar="S", help="seconds between two looks (1)")
    parser.add_argument("--json", action="store_true", help="one look as one JSON object")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Until Ctrl-C."""
    if args.json:
        ctx.out.json(msgspec.to_builtins(look(ctx)))
        return 0
    if args.once or not ctx.out.stdout.isatty():
        view = look(ctx)
        ctx.out.table(_HEAD, [_cells(line, None) for line in view.lines], right=(3, 4, 5, 6, 7, 8))
        for note in _notes(view):
            ctx.out.result(note)
        return 0
    return _watch(max(0.2, args.every), ctx)


def look(ctx: Context) -> View:
    """What there is now. BLOCKS on SQLite and small files."""
    from moor.cli.sessions import seen_sessions
    from moor.gateway.live import read_live

    live = read_live(ctx.home)
    running = _by_session(live)
    seen = seen_sessions(ctx.home, ctx.clock)
    known = {one.session.gateway_pid: one.session.id for one in seen}
    caps = {known[one.pid]: one for one in live if one.pid in known}
    lines = [_line(one, running.pop(one.session.id, []), caps.get(one.session.id), ctx) for one in seen]
    lines += [_key_line(key, calls, ctx) for key, calls in running.items()]
    resting = tuple(dict.fromkeys(model for one in live for model in one.resting))
    return View(at=ctx.clock.now(), lines=tuple(lines), resting=resting)


def _by_session(live: list[Live]) -> dict[str, list[Running]]:
    """Calls under way, by the session or the key they belong to."""
    running: dict[str, list[Running]] = {}
    for one in live:
        for call in one.running:
            running.setdefault(call.session, []).append(call)
    return running


def _line(seen: Seen, calls: list[Running], live: Live | None, ctx: Context) -> Line:
    session, used = seen.session, seen.used
    return Line(
        session=session.id,
        agent=session.agent,
        state=seen.state,
        calls=used.calls,
        tokens=used.usage.total + sum(call.output for call in calls),
        cost_nano=used.cost_nano,
        caps=() if live is None else tuple((cap.name, cap.used * 100 // max(1, cap.limit)) for cap in live.caps),
        first_byte_ms=_median_first_byte(session.id, ctx),
        where=session.repository or session.cwd,
        running=tuple(calls),
    )


def _key_line(key: str, calls: list[Running], ctx: Context) -> Line:
    """Calls of the stand-alone gateway: a key is no session."""
    from moor.ledger.report import totals

    used = totals(ctx.home, session=key)
    return Line(
        session=key,
        agent=calls[0].agent,
        state="working",
        calls=used.calls,
        tokens=used.usage.total + sum(call.output for call in calls),
        cost_nano=used.cost_nano,
        caps=(),
        first_byte_ms=_median_first_byte(key, ctx),
        where="key",
        running=tuple(calls),
    )


def _median_first_byte(session: str, ctx: Context) -> int | None:
    from moor.ledger.calls import calls

    waits = sorted(
        call.first_byte_ms
        for call in calls(ctx.home, session=session, limit=_FIRST_BYTES)
        if call.first_byte_ms is not None
    )
    return waits[len(waits) // 2] if waits else None


def _cells(line: Line, per_s: float | None) -> list[str]:
    from moor.ledger.report import usd_text

    cost = "?" if line.cost_nano is None else f"${usd_text(round(line.cost_nano, -5))}"
    fullest = max(line.caps, key=lambda cap: cap[1], default=None)
    return [
        line.session,
        line.agent,
        line.state,
        f"{line.calls}+{len(line.running)}" if line.running else str(line.calls),
        "" if per_s is None else f"{per_s:.0f}",
        f"{line.tokens:,}",
        cost,
        "" if fullest is None else f"{fullest[1]} %",
        "" if line.first_byte_ms is None else f"{line.first_byte_ms} ms",
        line.where[-40:],
    ]


def _notes(view: View) -> list[str]:
    notes = [_call_text(call) for line in view.lines for call in line.running]
    if view.resting:
        notes.append(f"left alone for a while: {', '.join(view.resting)}")
    return notes or ["no call under way"]


def _call_text(call: Running) -> str:
    who = f"{call.agent} / {call.subagent[:24]}" if call.subagent else call.agent
    state = "waits for an answer" if call.waiting else f"{call.output:,} tokens so far"
    tries = f", attempt {call.attempts}" if call.attempts > 1 else ""
    return f"  {call.session}  {who}: {call.model}, {call.seconds:.0f} s, {state}{tries}"


def _watch(every_s: float, ctx: Context) -> int:
    from rich.console import Console
    from rich.live import Live as Screen

    before: View | None = None
    try:
        with Screen(console=Console(file=ctx.out.stdout), screen=True, auto_refresh=False) as screen:
            while True:
                view = look(ctx)
                screen.update(_drawn(view, before), refresh=True)
                before = view
                time.sleep(every_s)
    except KeyboardInterrupt:
        return 0


def _drawn(view: View, before: View | None) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _HEAD:
        table.add_column(name, justify="right" if name in _RIGHT else "left", no_wrap=True)
    rates = _rates(view, before)
    for line in view.lines:
        table.add_row(*(Text(cell) for cell in _cells(line, rates.get(line.session))))
    at = time.strftime("%H:%M:%S", time.localtime(view.at))
    title = Text(f"moor top  {at}  {len(view.lines)} sessions  Ctrl-C ends", style="dim")
    return Group(title, Text(), table, Text(), *(Text(note) for note in _notes(view)))


def _rates(view: View, before: View | None) -> dict[str, float]:
    """Tokens a second since the look before."""
    if before is None or view.at <= before.at:
        return {}
    then = {line.session: line.tokens for line in before.lines}
    passed = view.at - before.at
    return {
        line.session: max(0.0, (line.tokens - then[line.session]) / passed)
        for line in view.lines
        if line.session in then
    }
