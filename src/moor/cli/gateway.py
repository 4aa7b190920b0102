"""`moor gateway`: the gateway alone, for editors and scripts, with keys of `moor keys`."""

from __future__ import annotations

import argparse
import errno
import socket
from typing import TYPE_CHECKING, Final

from moor.cli.context import Context
from moor.errors.base import UsageError

if TYPE_CHECKING:
    from moor.gateway.standalone import StoreKeys
    from moor.upstreams.base import Upstream

BACKLOG: Final = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor gateway`; its actions beside serving."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("serve", "rules", "refusals"),
        default="serve",
        help="serve (default); rules: the repairs and how often each was made; refusals: those no rule repairs",
    )
    parser.add_argument("--port", type=_port, metavar="P", help="port to serve on; 0 takes a free one")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to serve on (default: 127.0.0.1)"
    )
    parser.add_argument("--upstream", default="", metavar="NAME", help="upstream of keys that name none")
    parser.add_argument(
        "--allow-remote", action="store_true", help="permit an address that other machines reach (plain HTTP)"
    )
    parser.add_argument("--json", action="store_true", help="print the addresses as one JSON object")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Serve until Ctrl-C, or tell of the rules."""
    if args.action != "serve":
        from moor.cli.rules import show_refusals, show_rules

        return (show_rules if args.action == "rules" else show_refusals)(ctx, as_json=args.json)
    if args.port is None:
        raise UsageError("on which port?", hint="moor gateway --port 4000; 0 takes a free one")
    from moor.gateway.standalone import serve
    from moor.store.logs import start_logging, stop_logging

    listening = listen(args.host, args.port, allow_remote=args.allow_remote)
    with listening:
        handler = start_logging(ctx.home)
        keys, upstreams = _open(args.upstream, ctx)
        serve(
            listening=listening,
            home=ctx.home,
            keys=keys,
            upstreams=upstreams,
            clock=ctx.clock,
            environ=ctx.environ,
            any_host=args.allow_remote,
            ready=lambda: _announce(listening, keys, ctx, as_json=args.json),
        )
        stop_logging(handler)
    ctx.out.say("the gateway has ended")
    return 0


def _open(named: str, ctx: Context) -> tuple[StoreKeys, dict[str, Upstream]]:
    """The keys, and the upstreams they may use."""
    from moor.errors.upstream import NoUpstream
    from moor.gateway.standalone import StoreKeys
    from moor.upstreams import open_upstream, upstream_settings

    settings = ctx.loaded.settings
    default = named or settings.defaults.upstream
    if not default:
        raise NoUpstream()
    keys = StoreKeys(
        ctx.home,
        upstream=default,
        policy=ctx.loaded.policy,
        caps=ctx.loaded.all_caps,
        watch=ctx.loaded.watch,
    )
    keys.start()
    upstreams = {
        name: open_upstream(name, upstream_settings(name, settings), ctx.home, ctx.environ, ctx.clock)
        for name in sorted({default, *(keys.upstreams & set(settings.upstreams))})
    }
    return keys, upstreams


def _announce(listening: socket.socket, keys: StoreKeys, ctx: Context, *, as_json: bool) -> None:
    from moor.gateway.routes import BASE_PATHS

    address = url_of(listening)
    urls = {dialect: address + path for dialect, path in BASE_PATHS.items()}
    if as_json:
        ctx.out.json({"url": address, "base_urls": urls})
    else:
        for dialect, url in urls.items():
            ctx.out.result(f"{dialect:20} {url}")
    if not keys.upstreams:
        ctx.out.say("no key is there yet: moor keys create NAME")
    ctx.out.say("Ctrl-C ends it")


def listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """A listening socket. Raises RemoteAddressError, PortInUseError."""
    from moor.errors.gateway import PortInUseError, RemoteAddressError
    from moor.net.url import is_loopback

    if not is_loopback(host) and not allow_remote:
        raise RemoteAddressError(host=host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        reason = "another program uses it" if taken else error.strerror or str(error)
        raise PortInUseError(host=host, port=port, reason=reason) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """`http://127.0.0.1:4000`."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return number
