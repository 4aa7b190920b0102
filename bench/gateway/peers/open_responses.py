"""open-responses-server: made for the Responses dialect, forwards every other path."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start


def _start(place: Place) -> Start:
    # its own entry point starts a second process that watches for changed files
    argv = [str(place.root / "bin" / "uvicorn"), "open_responses_server.api_controller:app", "--no-access-log"]
    argv += ["--host", "127.0.0.1", "--port", str(place.port), "--workers", "1"]
    return Start(argv, {"OPENAI_BASE_URL_INTERNAL": place.upstream, "OPENAI_API_KEY": "bench"})


PEER = Peer(
    name="open-responses-server",
    manager="pip",
    package="open-responses-server",
    version="0.4.1",
    licence="MIT",
    about="Parses the body to see whether a stream is wanted; the bytes pass both ways. Checks no key, keeps no "
    "ledger and no budgets.",
    start=_start,
    path="/messages",
)
