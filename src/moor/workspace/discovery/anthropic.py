"""The gateway's own list of Claude models, in Anthropic's form (2.3)."""

from __future__ import annotations

from typing import Final

from moor.errors.base import MoorError
from moor.workspace.discovery.found import Found, Listing, dicts
from moor.workspace.http import WorkspaceHttp

SOURCE: Final = "anthropic-models"


def anthropic_models(http: WorkspaceHttp) -> Listing:
    """GET /ai-gateway/anthropic/v1/models; ids that end in `-anthropic` are second names and left out."""
    try:
        answer = http.get("/ai-gateway/anthropic/v1/models", {"limit": "1000"}, what="listing Claude models")
    except MoorError as error:
        return Listing((), str(error))
    found = [
        Found(id=str(item["id"]), source=SOURCE, on_gateway=True)
        for item in dicts(answer.get("data"))
        if item.get("id") and not str(item["id"]).endswith("-anthropic")
    ]
    return Listing(tuple(found))
