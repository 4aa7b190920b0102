"""Unity Catalog model services below `system.ai`: the preferred listing ("V3" in 2.3)."""

from __future__ import annotations

from typing import Any, Final

from moor.errors.base import MoorError
from moor.workspace.discovery.found import Found, Listing, dicts, texts
from moor.workspace.http import WorkspaceHttp, pages

SOURCE: Final = "model-services"
_PATH: Final = "/api/2.1/unity-catalog/model-services"
_PREFIX: Final = "model-services/"


def model_services(http: WorkspaceHttp) -> Listing:
    """All services of `system.ai`; what came before a page failed is kept, with the reason.

    Both `parent` and a bounded `page_size` are sent: without them the call ends in 499.
    """
    found: list[Found] = []

    def page(token: str) -> dict[str, Any]:
        query = {"parent": "schemas/system.ai", "page_size": "100"}
        return http.get(_PATH, {**query, "page_token": token} if token else query, what="listing model services")

    try:
        for part in pages(page):
            found += [_found(service) for service in dicts(part.get("model_services")) if service.get("name")]
    except MoorError as error:
        return Listing(tuple(found), str(error))
    return Listing(tuple(found))


def _found(service: dict[str, Any]) -> Found:
    return Found(
        id=str(service["name"]).removeprefix(_PREFIX),
        source=SOURCE,
        api_types=texts(service.get("supported_api_types")),
        on_gateway=True,
    )
