"""`moor sim`: a simulated workspace on loopback, until Ctrl-C."""

from __future__ import annotations

import argparse

from moor.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the simulator."""
    parser.add_argument("--port", type=int, default=0, help="port on loopback (default: a free one)")
    parser.add_argument("--token-ttl", type=float, default=3600, metavar="S", help="life of an access token")
    parser.add_argument("--consent-page", action="store_true", help="show a page instead of consenting by itself")
    parser.add_argument("--engine", action="store_true", help="also serve an OpenAI-compatible engine at /v1")
    parser.add_argument("--scenarios", default="", metavar="DIR", help="folder with further scenario files")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=on|off", help="set a named behaviour")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Serve until interrupted."""
    from moor.errors import UsageError
    from moor.sim.config import SimConfig
    from moor.sim.main import serve

    switches = {}
    for item in args.switch:
        name, _, value = item.partition("=")
        if value not in ("on", "off"):
            raise UsageError(f"--switch {item!r} is not NAME=on or NAME=off", hint="moor sim --help")
        switches[name] = value == "on"
    config = SimConfig(
        port=args.port,
        token_ttl_s=args.token_ttl,
        auto_consent=not args.consent_page,
        openai_engine=args.engine,
        scenarios_dir=args.scenarios,
        switches=switches,
    )

    def announce(url: str) -> None:
        ctx.out.result(f"simulated workspace: {url}")
        ctx.out.say(f"sign in from another terminal: moor login --host {url}")
        ctx.out.say("Ctrl-C ends it")

    serve(config, announce)
    return 0
