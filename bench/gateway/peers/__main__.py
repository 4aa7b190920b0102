"""Installs, lists or tries the peers of the benchmark."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.gateway import systems
from bench.gateway.peers.ask import Refused, ask
from bench.gateway.peers.base import Peer, start_peer
from bench.gateway.peers.install import install
from bench.gateway.peers.known import ABSENT, PEERS


def main() -> int:
    """Run one of the three commands; 1 when a peer fails."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway.peers")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("install", "install pinned versions below build/bench-peers"),
        ("list", "all that are known, with their state"),
        ("check", "start each one and ask it a small and a streamed request"),
    ):
        command = commands.add_parser(name, help=words)
        if name != "list":
            command.add_argument("names", nargs="*", metavar="NAME", help="all of them without a name")
    args = parser.parse_args()
    if args.command == "list":
        return list_all()
    unknown = [name for name in args.names if name not in PEERS]
    if unknown:
        parser.error(f"not known: {', '.join(unknown)}; known are {', '.join(PEERS)}")
    chosen = [PEERS[name] for name in args.names] or list(PEERS.values())
    return install_all(chosen) if args.command == "install" else check_all(chosen)


def list_all() -> int:
    """Print every peer with version, licence and state, and every one that cannot run with the reason."""
    for peer in PEERS.values():
        state = f"installed {peer.installed}" if peer.installed else "not installed"
        print(f"{peer.name:24}{peer.package + ' ' + peer.version:44}{peer.licence:24}{state}")
    for absent in ABSENT:
        print(f"{absent.name:24}{absent.package:44}{absent.licence:24}cannot run: {absent.reason}")
    return 0


def install_all(chosen: list[Peer]) -> int:
    """Install, a line a peer."""
    failed = 0
    for peer in chosen:
        problem = install(peer)
        failed += bool(problem)
        print(
            f"{peer.name:24}{'installed ' + peer.version if not problem else 'not installed: ' + problem}", flush=True
        )
    return min(failed, 1)


def check_all(chosen: list[Peer]) -> int:
    """Start one at a time and look at its answers, a line a peer."""
    failed = 0
    origin = systems.start_origin(0, None)
    try:
        for peer in chosen:
            problem = check(peer, origin) if peer.installed else "is not installed"
            failed += bool(problem)
            print(f"{peer.name:24}{problem or 'a small and a streamed answer are right'}", flush=True)
    finally:
        origin.close()
    return min(failed, 1)


def check(peer: Peer, origin: systems.System) -> str:
    """Empty when a small and a streamed request are answered with what the endpoint said, else the problem."""
    with tempfile.TemporaryDirectory(prefix="moor-bench-", ignore_cleanup_errors=True) as name:
        try:
            system = start_peer(peer, 1, Path(name), origin)
        except Refused as error:
            return str(error)
        try:
            ask(system, "stream-20-100")
        except Refused as error:
            return str(error)
        finally:
            system.close()
    return ""


if __name__ == "__main__":
    sys.exit(main())
