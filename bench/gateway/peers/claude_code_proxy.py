"""claude-code-proxy: an Anthropic front for LiteLLM's library."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start


def _start(place: Place) -> Start:
    # its own command listens on a fixed port
    argv = [str(place.root / "bin" / "uvicorn"), "server.fastapi:app", "--log-level", "error"]
    argv += ["--host", "127.0.0.1", "--port", str(place.port), "--workers", "1"]
    environ = {
        "OPENAI_API_KEY": "bench",
        "OPENAI_API_BASE": f"{place.upstream}/v1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    return Start(argv, environ)


PEER = Peer(
    name="claude-code-proxy",
    manager="pip",
    package="claude-code-proxy",
    version="0.1.5",
    licence="not stated",
    about="Translates to Chat Completions and back with LiteLLM's library, so it does more than forward (it cannot "
    "speak Anthropic Messages to the upstream: it sends a value that its own library refuses). Checks no key.",
    start=_start,
    model="openai/gpt-4.1",
)
