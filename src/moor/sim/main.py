"""The simulator on its own: `python -m moor.sim`, and what `moor sim` calls."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable

from moor.errors.base import ExitCode, MoorError
from moor.errors.sim import SimSwitchUnknown
from moor.sim.config import SimConfig
from moor.sim.script.library import Library
from moor.sim.server import SimServer
from moor.sim.switches import SWITCHES


def serve(config: SimConfig, announce: Callable[[str], None], lifeline_fd: int = -1) -> None:
    """Run until SIGINT or SIGTERM; `announce` gets the URL once it answers. Raises SimNotStarted.

    `lifeline_fd`: the reading end of a pipe; when nobody holds the other end any more, the simulator ends too.
    """
    asyncio.run(_serve(config, announce, lifeline_fd))


async def _serve(config: SimConfig, announce: Callable[[str], None], lifeline_fd: int) -> None:
    server = SimServer(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if lifeline_fd >= 0:
        loop.add_reader(lifeline_fd, stop.set)
    await server.start()
    announce(server.url)
    await stop.wait()
    await server.close()


def parser() -> argparse.ArgumentParser:
    """The options of the stand-alone simulator."""
    made = argparse.ArgumentParser(prog="python -m moor.sim", description="Run a simulated workspace on loopback.")
    made.add_argument("--port", type=int, default=0, help="0 picks a free one")
    made.add_argument("--host", default="127.0.0.1", help="a loopback address")
    made.add_argument("--token-ttl", type=float, default=3600, metavar="S", help="life of access tokens")
    made.add_argument("--keep-refresh", action="store_true", help="refresh tokens do not rotate")
    made.add_argument("--consent-page", action="store_true", help="show a page instead of consenting at once")
    made.add_argument("--switch", action="append", default=[], metavar="NAME[=on|off]", help="set a switch")
    made.add_argument("--tls-cert", default="", metavar="PEM")
    made.add_argument("--tls-key", default="", metavar="PEM")
    made.add_argument("--scenarios", default="", metavar="DIR", help="further scenario files")
    made.add_argument("--engine", action="store_true", help="also serve an OpenAI-compatible engine at /v1")
    made.add_argument("--gateway-host", action="store_true", help="also listen in the older gateway-host form")
    made.add_argument("--first-byte", type=float, default=0.0, metavar="S", help="latency of each answer")
    made.add_argument("--chunk", type=float, default=0.0, metavar="S", help="latency between streamed pieces")
    made.add_argument("--ready-fd", type=int, default=-1, metavar="N", help="write the URL to this descriptor")
    made.add_argument("--lifeline-fd", type=int, default=-1, metavar="N", help="end when this pipe is closed")
    made.add_argument("--list-switches", action="store_true")
    made.add_argument("--list-scenarios", action="store_true")
    return made


def config_of(args: argparse.Namespace) -> SimConfig:
    """The configuration those options mean."""
    positions = dict(map(_position, args.switch))
    return SimConfig(
        host=args.host,
        port=args.port,
        token_ttl_s=args.token_ttl,
        rotate_refresh=not args.keep_refresh,
        auto_consent=not args.consent_page,
        switches=positions,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
        scenarios_dir=args.scenarios,
        openai_engine=args.engine,
        gateway_host=args.gateway_host,
        first_byte_s=args.first_byte,
        chunk_s=args.chunk,
    )


def _position(text: str) -> tuple[str, bool]:
    """`name`, `name=on` or `name=off`. Raises SimSwitchUnknown for anything else."""
    name, _, value = text.partition("=")
    if value not in ("", "on", "off"):
        raise SimSwitchUnknown(text)
    return name, value != "off"


def main(argv: list[str] | None = None) -> int:
    """Entry of `python -m moor.sim`; returns the exit code."""
    args = parser().parse_args(argv)
    try:
        if args.list_switches:
            return _say(f"{s.name:32} {'on' if s.default else 'off':4} {s.about}" for s in SWITCHES.values())
        if args.list_scenarios:
            library = Library.load()
            return _say(f"{name:20} {library.get(name).about}" for name in library.names())
        serve(config_of(args), lambda url: _announce(url, args.ready_fd), args.lifeline_fd)
    except MoorError as problem:
        sys.stderr.write(f"error: {problem}\n" + (f"hint: {problem.hint}\n" if problem.hint else ""))
        return int(problem.exit_code)
    return int(ExitCode.OK)


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return int(ExitCode.OK)


def _announce(url: str, ready_fd: int) -> None:
    sys.stdout.write(f"simulated workspace: {url} (simulated)\n")
    sys.stdout.flush()
    if ready_fd >= 0:
        os.write(ready_fd, url.encode() + b"\n")
        os.close(ready_fd)
