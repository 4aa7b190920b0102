"""Portkey's AI gateway: the request names the upstream."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start


def _start(place: Place) -> Start:
    script = place.root / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    return Start(["node", str(script), "--headless", f"--port={place.port}"], {"NODE_ENV": "production"})


PEER = Peer(
    name="portkey",
    manager="npm",
    package="@portkey-ai/gateway",
    version="1.15.2",
    licence="MIT",
    about="Writes the request anew, parses a whole answer; the bytes of a stream pass, cut into events. Checks no "
    "key of its own, keeps no ledger and no budgets. (With the newest version of its HTTP server, which npm chooses, "
    "it answers each stream with 500: an older one is pinned.)",
    start=_start,
    pins=("@hono/node-server@1.13.8",),
    headers={"x-portkey-provider": "anthropic", "x-portkey-custom-host": "{upstream}/v1"},
)
