"""All gateways that were looked at, in the order of the tables."""

from __future__ import annotations

from bench.gateway.peers import (
    any_llm,
    ccproxy,
    claude_code_proxy,
    claude_code_router,
    litellm,
    mlflow,
    open_responses,
    portkey,
)
from bench.gateway.peers.base import Absent, Peer

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        litellm.PEER,
        portkey.PEER,
        claude_code_router.PEER,
        mlflow.PEER,
        any_llm.PEER,
        ccproxy.PEER,
        open_responses.PEER,
        claude_code_proxy.PEER,
    )
}

NOT_IN_NPM = "npm finds no package of this name here"
ABSENT = (
    Absent("bifrost", "@maximhq/bifrost 1.6.3", "Apache-2.0", "its package only downloads a program from its vendor"),
    Absent(
        "claude-code-router 3",
        "@musistudio/claude-code-router 3.1.1",
        "MIT",
        "npm does not find a package that it depends on; 2.0.0 is measured instead",
    ),
    Absent("helicone", "@helicone/ai-gateway", "not known", NOT_IN_NPM),
    Absent(
        "tensorzero",
        "tensorzero 2026.6.0",
        "Apache-2.0",
        "its package is a client with the gateway inside the calling process; the server is published as a container",
    ),
    Absent(
        "otari",
        "otari 0.4.1",
        "Apache-2.0",
        "its package is a client; the server, which followed the any-llm gateway, is published as a container",
    ),
    Absent("anthropic-proxy", "anthropic-proxy", "MIT", NOT_IN_NPM),
    Absent("open-api-proxy", "open-api-proxy", "not known", NOT_IN_NPM),
    Absent("local-openai2anthropic", "local-openai2anthropic", "not known", "pip finds no release for this Python"),
    Absent(
        "lm-proxy",
        "lm-proxy",
        "MIT",
        "its clients speak Chat Completions, not Messages (its own page; not installed)",
    ),
)


def named(names: str) -> list[Peer]:
    """The peers of a comma-separated list, `all` for every one; raises KeyError with the name it does not know."""
    return list(PEERS.values()) if names == "all" else [PEERS[name] for name in names.split(",") if name]
