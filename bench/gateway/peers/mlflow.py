"""MLflow's AI gateway, which lives in its tracking server and needs a database for its settings."""

from __future__ import annotations

from bench.gateway.peers.ask import call
from bench.gateway.peers.base import Peer, Place, Start

SETTINGS = "/api/3.0/mlflow/gateway"


def _start(place: Place) -> Start:
    argv = [str(place.root / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(place.port)]
    argv += ["--workers", "1", "--no-serve-artifacts", "--backend-store-uri", f"sqlite:///{place.home}/mlflow.db"]
    environ = {
        "PATH": f"{place.root}/bin:/usr/bin:/bin",  # it starts its server by name
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    }
    return Start(argv, environ)


def _ready(place: Place) -> None:
    secret = call(
        place.port,
        "POST",
        f"{SETTINGS}/secrets/create",
        {
            "secret_name": "bench",
            "secret_value": {"api_key": "bench"},
            "provider": "anthropic",
            "auth_config": {"api_base": f"{place.upstream}/v1"},
        },
    )
    names = {"name": "m", "provider": "anthropic", "model_name": "m", "secret_id": secret["secret"]["secret_id"]}
    model = call(place.port, "POST", f"{SETTINGS}/model-definitions/create", names)
    linked = {"model_definition_id": model["model_definition"]["model_definition_id"], "linkage_type": "PRIMARY"}
    endpoint = {"name": "m", "model_configs": [linked | {"weight": 1}], "usage_tracking": False}
    call(place.port, "POST", f"{SETTINGS}/endpoints/create", endpoint)


PEER = Peer(
    name="mlflow",
    manager="pip",
    package="mlflow[genai]",
    version="3.17.2",
    licence="Apache-2.0",
    about="Reads the route from its SQLite database, which it cannot do without, looks for budgets, writes the body "
    "anew; the bytes of a stream pass. Its usage tracking (a trace a request) is off, it checks no key. (3.18.0 asks "
    "for a part of itself that pip does not find.)",
    start=_start,
    ready=_ready,
    path="/gateway/anthropic/v1/messages",
)
