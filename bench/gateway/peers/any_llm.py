"""The any-llm gateway, last published inside the SDK's 1.14; its successor is published as a container only."""

from __future__ import annotations

from bench.gateway.peers.ask import call
from bench.gateway.peers.base import Peer, Place, Start
from bench.gateway.systems import KEY


def _start(place: Place) -> Start:
    config = place.write(
        "config.yaml",
        {
            "database_url": f"sqlite:///{place.home}/gateway.db",
            "host": "127.0.0.1",
            "port": place.port,
            "master_key": KEY,
            "providers": {"anthropic": {"api_key": "bench", "api_base": place.upstream}},
            "pricing": {"anthropic:m": {"input_price_per_million": 3.0, "output_price_per_million": 15.0}},
        },
    )
    return Start([str(place.root / "bin" / "any-llm-gateway"), "serve", "--config", str(config), "--workers", "1"])


def _ready(place: Place) -> str:
    made = call(place.port, "POST", "/v1/keys", {"key_name": "bench"}, {"X-AnyLLM-Key": f"Bearer {KEY}"})
    return str(made["key"])


PEER = Peer(
    name="any-llm",
    manager="pip",
    package="any-llm-sdk[gateway,anthropic]",
    version="1.14.0",
    licence="Apache-2.0",
    about="Checks a key and a budget and writes a ledger with cost in SQLite, which it cannot do without; makes the "
    "request and each event anew through the vendor's SDK. A request holds one of 15 database connections until its "
    "answer is whole, and whoever waits for one holds up all the others, for 30 s at the most.",
    start=_start,
    ready=_ready,
    model="anthropic:m",
)
