"""claude-code-router: the 2.x line, as 3.x needs packages that the npm registry does not have."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start
from bench.gateway.systems import KEY


def _start(place: Place) -> Start:
    provider = {
        "name": "origin",
        "api_base_url": f"{place.upstream}/v1/messages",
        "api_key": "bench",
        "models": ["m"],
        "transformer": {"use": ["Anthropic"]},
    }
    settings = {
        "HOST": "127.0.0.1",
        "PORT": place.port,
        "APIKEY": KEY,
        "LOG": False,
        "NON_INTERACTIVE_MODE": True,
        "Providers": [provider],
        "Router": {"default": "origin,m"},
    }
    place.write(".claude-code-router/config.json", settings)
    script = place.root / "node_modules" / "@musistudio" / "claude-code-router" / "dist" / "cli.js"
    return Start(["node", str(script), "start"], {"NODE_ENV": "production"})


PEER = Peer(
    name="claude-code-router",
    manager="npm",
    package="@musistudio/claude-code-router",
    version="2.0.0",
    licence="MIT",
    about="Checks a key, counts the tokens of each request with a tokenizer to choose a model; the bytes pass both "
    "ways, as the endpoint speaks the same dialect. No ledger, no budgets.",
    start=_start,
)
