"""`python -m moor.gateway`: the gateway of one session, a process of its own.

It is handed a listening socket and the process to watch. When that one ends, it stops what the session left
behind, settles the ledger, marks the session ended and ends (design, section 4). It never binds by itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import msgspec

from moor.clock import SystemClock
from moor.domain.session import ENDED, Session
from moor.domain.settings import UpstreamSettings
from moor.errors.base import MoorError
from moor.errors.gateway import SessionUnknownError
from moor.gateway.activity import Activity
from moor.gateway.credentials import finish_renewals
from moor.gateway.live import LiveFile
from moor.gateway.ports import SessionKeys
from moor.gateway.server import Gateway
from moor.gateway.tuning import loop_factory, raise_allocator_thresholds
from moor.gateway.warnings import Warnings
from moor.ledger.bank import LedgerBank
from moor.ledger.writer import LedgerWriter
from moor.run.sweep import sweep
from moor.run.watch import ended
from moor.store.home import Home
from moor.store.learned import LearnedRules
from moor.store.leavings import end_folder
from moor.store.logs import start_logging
from moor.store.sessions import SessionStore
from moor.store.worktree import worktree
from moor.upstreams import open_upstream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moor.gateway.payloads import PayloadLog
    from moor.upstreams.base import Upstream

_log = logging.getLogger(__name__)

SPEC: Final = "gateway.json"
IN_FLIGHT_GRACE_S: Final = 1.0
LEDGER_GRACE_S: Final = 5.0


class Spec(msgspec.Struct, frozen=True):
    """What the launcher leaves in the session's folder."""

    name: str
    upstream: UpstreamSettings
    others: dict[str, UpstreamSettings] = {}
    """upstreams of fallback models"""


class Watched(NamedTuple):
    """The process whose end is the session's end."""

    pid: int
    start: float
    pidfd: int | None


def main(argv: Sequence[str]) -> int:
    """Serve one session until its process ends; 0 at a clean end."""
    args = _arguments(argv)
    home = Home(Path(args.home))
    start_logging(home, session=args.session)
    store = SessionStore(home)
    try:
        session, spec = _load(home, store, args.session)
        upstreams = {
            name: open_upstream(name, settings, home, os.environ, SystemClock())
            for name, settings in {spec.name: spec.upstream, **spec.others}.items()
        }
        listening = socket.socket(fileno=args.listen_fd)
    except (MoorError, OSError, msgspec.DecodeError) as error:
        _log.exception("the gateway could not start")
        _mark_ended(store, args.session, f"the gateway could not start: {error}")
        return 1
    watched = _watched(args)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            runner.run(_serve(home, store, session, upstreams, listening, watched))
        finally:
            finish_renewals(upstreams)
    return 0


class Arguments(NamedTuple):
    """How the launcher starts us. Read by hand: argparse would cost a tenth of the start."""

    home: str
    session: str
    listen_fd: int
    watch_pid: str
    """`PID:START`; empty: nothing is watched"""
    watch_fd: int | None


def _arguments(argv: Sequence[str]) -> Arguments:
    given = dict(zip(argv[::2], argv[1::2], strict=False))
    fd = given.get("--watch-fd")
    return Arguments(
        given["--home"],
        given["--session"],
        int(given["--listen-fd"]),
        given.get("--watch-pid", ""),
        int(fd) if fd is not None else None,
    )


def _load(home: Home, store: SessionStore, session_id: str) -> tuple[Session, Spec]:
    session = store.get(session_id)
    if session is None:
        raise SessionUnknownError(session=session_id)
    place = worktree(session.cwd)
    session = msgspec.structs.replace(session, repository=place.repository, branch=place.branch)
    spec = msgspec.json.decode((home.session_dir(session_id) / SPEC).read_bytes(), type=Spec)
    return session, spec


def _watched(args: Arguments) -> Watched | None:
    if not args.watch_pid:
        return None
    pid, _, start = args.watch_pid.partition(":")
    return Watched(int(pid), float(start or 0), args.watch_fd)


async def _serve(
    home: Home,
    store: SessionStore,
    session: Session,
    upstreams: Mapping[str, Upstream],
    listening: socket.socket,
    watched: Watched | None,
) -> None:
    ledger = LedgerWriter(home)
    payloads = _payload_log(home, session.watch.payload_mb)
    warnings = Warnings(store)
    gateway = Gateway(
        sockets=[listening],
        keys=SessionKeys([session]),
        upstreams=upstreams,
        ledger=ledger,
        clock=SystemClock(),
        environ=os.environ,
        bank=LedgerBank(home, SystemClock(), session.id),
        told=warnings.told,
        alarm=warnings.alarm(session),
        learned=lambda name: LearnedRules(home, name),
        payloads=payloads,
    )
    stop = _stop_on_signals()
    await gateway.start()
    _log.info("serving %s for %s", session.gateway_url, session.agent)
    asyncio.get_running_loop().run_in_executor(None, raise_allocator_thresholds)
    activity = Activity(store, session, gateway)
    await activity.announce()
    try:
        await _until_the_end(stop, watched, activity, LiveFile(home, gateway))
    finally:
        await gateway.close(IN_FLIGHT_GRACE_S)
        if payloads is not None:
            await asyncio.to_thread(payloads.close)
        await asyncio.to_thread(_clean_up, home, store, session, ledger, gateway)


def _payload_log(home: Home, mb: int) -> PayloadLog | None:
    if not mb:
        return None
    from moor.gateway.payloads import PayloadLog

    return PayloadLog(home, mb)


async def _until_the_end(stop: asyncio.Event, watched: Watched | None, activity: Activity, live: LiveFile) -> None:
    """Returns when the watched process ended or a signal came; the activity is told meanwhile."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait())]
    if watched is not None:
        waits.append(asyncio.ensure_future(ended(watched.pid, watched.start, watched.pidfd)))
    telling = asyncio.gather(activity.run(), live.run())
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in (*waits, telling):
        task.cancel()
    await asyncio.gather(*waits, telling, return_exceptions=True)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


def _clean_up(home: Home, store: SessionStore, session: Session, ledger: LedgerWriter, gateway: Gateway) -> None:
    """Stop what the session left behind, settle, mark, remove. Each step is tried whatever became of the others."""
    met = sweep(session.id)
    if met:
        _log.info("stopped %d processes that the session left behind", len(met))
    if not ledger.close(LEDGER_GRACE_S):
        _log.error("calls could not be written to the ledger")
    else:
        gateway.purses.settle()
    _mark_ended(store, session.id, "")
    end_folder(home.session_dir(session.id))
    store.close()
    _log.info("ended")


def _mark_ended(store: SessionStore, session_id: str, outcome: str) -> None:
    fields: dict[str, object] = {"status": ENDED, "ended_at": SystemClock().now()}
    if outcome:
        fields["outcome"] = outcome
    try:
        store.update(session_id, **fields)
    except MoorError:
        _log.exception("the session could not be marked as ended")


def run() -> NoReturn:
    """The whole process."""
    code = main(sys.argv[1:])
    logging.shutdown()
    # threads that wait for a network answer must not hold the process
    os._exit(code)
