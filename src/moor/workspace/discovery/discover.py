"""Everything about a workspace's models in one go: who, which route, what, for how much."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from moor.domain.credential import CredentialSource
from moor.domain.models import Catalogue, Price
from moor.errors.base import MoorError
from moor.workspace.discovery.anthropic import anthropic_models
from moor.workspace.discovery.classic import serving_endpoints
from moor.workspace.discovery.found import Listing
from moor.workspace.discovery.foundation import foundation_models
from moor.workspace.discovery.merge import PriceOf, merge
from moor.workspace.discovery.services import model_services
from moor.workspace.http import WorkspaceHttp
from moor.workspace.naming import normal_id
from moor.workspace.place import Place
from moor.workspace.prices import price_list
from moor.workspace.probe import Probe, probe_route
from moor.workspace.routes import AUTO, SERVING
from moor.workspace.scim import id_in_host, who_am_i

Source = Callable[[WorkspaceHttp], Listing]
_ON_GATEWAY: tuple[Source, ...] = (model_services, foundation_models, anthropic_models, serving_endpoints)
_ON_SERVING: tuple[Source, ...] = (foundation_models, serving_endpoints)


def discover(
    upstream: str,
    place: Place,
    source: CredentialSource,
    *,
    route: str = AUTO,
    gateway_host: str = "",
    workspace_id: str = "",
    fallback_price: PriceOf,
) -> Catalogue:
    """The catalogue as the workspace has it now; BLOCKS.

    A listing that fails is a reason in the catalogue, not an error. Raises SignInNeeded, CredentialRefused,
    ClockSkew, Unreachable: then nothing could be asked at all.
    """
    http = WorkspaceHttp(place.client(), source)
    me = who_am_i(http)
    known_id = workspace_id or me.workspace_id or id_in_host(place.base.host) or _stated_id(place)
    probe = probe_route(http, place, known_id, gateway_host) if route == AUTO else Probe(route, "set in the config")
    listings, (prices, price_reason) = _ask_all(place, source, probe.route)

    def price_of(model_id: str) -> Price | None:
        return prices.get(normal_id(model_id)) or fallback_price(model_id)

    reasons = [listing.reason for listing in listings if listing.reason]
    return Catalogue(
        upstream=upstream,
        models=merge(listings, probe.route, price_of),
        fetched_at=place.clock.now(),
        route=probe.route,
        workspace_id=known_id,
        user=me.user,
        reasons=tuple([*reasons, price_reason] if price_reason else reasons),
    )


def _stated_id(place: Place) -> str:
    try:
        return place.metadata.workspace_id
    except MoorError:
        return ""


def _ask_all(
    place: Place, source: CredentialSource, route: str
) -> tuple[list[Listing], tuple[dict[str, Price], str]]:
    """All listings at once, each on a connection of its own; in the order of trust."""
    sources = _ON_SERVING if route == SERVING else _ON_GATEWAY
    with ThreadPoolExecutor(max_workers=len(sources) + 1) as pool:
        asked = [pool.submit(listing, WorkspaceHttp(place.client(), source)) for listing in sources]
        prices = pool.submit(price_list, WorkspaceHttp(place.client(), source))
        return [future.result() for future in asked], prices.result()
