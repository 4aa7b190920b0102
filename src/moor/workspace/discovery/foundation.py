"""Foundation-model endpoints with their API types ("V2" in 2.3)."""

from __future__ import annotations

from typing import Any, Final

from moor.errors.base import MoorError
from moor.workspace.discovery.found import Found, Listing, dicts, texts
from moor.workspace.http import WorkspaceHttp

SOURCE: Final = "foundation-models"


def foundation_models(http: WorkspaceHttp) -> Listing:
    """GET serving-endpoints:foundation-models; no paging."""
    try:
        answer = http.get("/api/2.0/serving-endpoints:foundation-models", what="listing foundation models")
    except MoorError as error:
        return Listing((), str(error))
    return Listing(tuple(_found(endpoint) for endpoint in dicts(answer.get("endpoints")) if endpoint.get("name")))


def _found(endpoint: dict[str, Any]) -> Found:
    config = endpoint.get("config")
    entities = dicts(config.get("served_entities")) if isinstance(config, dict) else []
    models = [entity["foundation_model"] for entity in entities if isinstance(entity.get("foundation_model"), dict)]
    api_types = [kind for model in models for kind in texts(model.get("api_types"))]
    supported = [model.get("ai_gateway_v2_supported") for model in models]
    return Found(
        id=str(endpoint["name"]),
        source=SOURCE,
        api_types=tuple(dict.fromkeys(api_types)),
        on_gateway=any(supported) if supported and None not in supported else None,
    )
