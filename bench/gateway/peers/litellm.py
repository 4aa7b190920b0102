"""LiteLLM's proxy: one worker, without a database."""

from __future__ import annotations

from bench.gateway.peers.base import Peer, Place, Start
from bench.gateway.systems import KEY


def _start(place: Place) -> Start:
    model = {"model": "anthropic/m", "api_base": place.upstream, "api_key": "bench"}
    config = place.write(
        "config.yaml",
        {
            "model_list": [{"model_name": "m", "litellm_params": model}],
            "general_settings": {"master_key": f"sk-{KEY}"},
            "litellm_settings": {"telemetry": False},
        },
    )
    argv = [str(place.root / "bin" / "litellm"), "--config", str(config), "--telemetry", "False"]
    argv += ["--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"]
    # otherwise it asks the network for its table of prices
    return Start(argv, {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"})


PEER = Peer(
    name="litellm",
    manager="pip",
    package="litellm[proxy]",
    version="1.106.2",
    licence="MIT, parts of its own",
    about="Checks a key, routes by model name, writes the request anew and reckons cost; the bytes of a stream pass. "
    "No database, so no budgets and no ledger. (1.109.1 asks for a certificate bundle newer than pip finds.)",
    start=_start,
    key=f"sk-{KEY}",
)
