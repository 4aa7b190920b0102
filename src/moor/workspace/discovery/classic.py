"""Classic serving endpoints: on every workspace, with their state, the workspace's own ones included (2.3)."""

from __future__ import annotations

from typing import Any, Final

from moor.errors.base import MoorError
from moor.workspace.discovery.found import Found, Listing, dicts
from moor.workspace.http import WorkspaceHttp
from moor.workspace.routes import CLASSIC_LISTING

SOURCE: Final = CLASSIC_LISTING


def serving_endpoints(http: WorkspaceHttp) -> Listing:
    """GET /api/2.0/serving-endpoints; no paging."""
    try:
        answer = http.get("/api/2.0/serving-endpoints", what="listing serving endpoints")
    except MoorError as error:
        return Listing((), str(error))
    return Listing(tuple(_found(endpoint) for endpoint in dicts(answer.get("endpoints")) if endpoint.get("name")))


def _found(endpoint: dict[str, Any]) -> Found:
    return Found(
        id=str(endpoint["name"]),
        source=SOURCE,
        ready=_ready(endpoint.get("state")),
        display_name=_display_name(endpoint),
        task=str(endpoint.get("task") or ""),
    )


def _ready(state: Any) -> bool | None:
    """None where the endpoint has no state: pay-per-token ones may leave it out."""
    stated = state.get("ready") if isinstance(state, dict) else None
    return None if stated is None else stated == "READY"


def _display_name(endpoint: dict[str, Any]) -> str:
    config = endpoint.get("config")
    for entity in dicts(config.get("served_entities")) if isinstance(config, dict) else []:
        model = entity.get("foundation_model")
        if isinstance(model, dict) and model.get("display_name"):
            return str(model["display_name"])
    return ""
