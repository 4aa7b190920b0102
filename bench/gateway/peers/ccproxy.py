"""ccproxy-api with its Claude provider alone, which wants the credentials file of a signed-in agent."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start
from bench.gateway.systems import KEY

CONFIG = """
enabled_plugins = ["claude_api", "oauth_claude"]
[server]
host = "127.0.0.1"
port = {port}
[logging]
level = "ERROR"
[plugins.claude_api]
base_url = "{upstream}"
system_prompt_injection_mode = "none"
"""


def _start(place: Place) -> Start:
    config = place.home / "config.toml"
    config.write_text(CONFIG.format(port=place.port, upstream=place.upstream), encoding="utf-8")
    far = 4_102_444_800_000  # the year 2100 in ms: nothing to refresh
    token = {"accessToken": "bench", "refreshToken": "bench", "expiresAt": far, "scopes": ["user:inference"]}
    place.write(".claude/.credentials.json", {"claudeAiOauth": token | {"subscriptionType": "max"}})
    environ = {
        "PATH": f"{place.root}/bin",  # it would start an agent, or have one fetched, to learn its headers
        "CONFIG_FILE": str(config),  # the server process does not see the options of its command
        "SECURITY__AUTH_TOKEN": KEY,
    }
    return Start([str(place.root / "bin" / "ccproxy"), "serve"], environ)


PEER = Peer(
    name="ccproxy-api",
    manager="pip",
    package="ccproxy-api",
    version="0.2.10",
    licence="MIT",
    about="Checks a key, validates the request, adds the headers and token of a signed-in agent, writes the body and "
    "each event anew. No ledger, no budgets (its plug-ins for logs, prices and metrics are off).",
    start=_start,
    path="/claude/v1/messages",
)
