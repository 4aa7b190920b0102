"""Listings into one list of models. Pure: what is stated wins over what a name suggests, the better listing first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.models import Model, Price
from moor.workspace.classify import dialects_of, family_of, is_chat, limits_of
from moor.workspace.discovery.found import Found, Listing
from moor.workspace.routes import CLASSIC_LISTING, SERVING

_ON_SERVING: Final = (ANTHROPIC_MESSAGES, OPENAI_CHAT)
"""dialects that classic serving is known to have (A2, A4)"""
PriceOf = Callable[[str], Price | None]


def merge(listings: Iterable[Listing], route: str, price_of: PriceOf) -> tuple[Model, ...]:
    """Models that can be called over `route`, in the order of the listings; embeddings are left out."""
    by_id: dict[str, Found] = {}
    for listing in listings:
        for found in listing.models:
            known = by_id.get(found.id)
            by_id[found.id] = _joined(known, found) if known else found
    models = [_model(found, route, price_of) for found in by_id.values() if is_chat(found.id, found.task)]
    return tuple(model for model in models if model.dialects)


def _joined(first: Found, more: Found) -> Found:
    return first._replace(
        api_types=first.api_types or more.api_types,
        ready=more.ready if first.ready is None else first.ready,
        display_name=first.display_name or more.display_name,
        task=first.task or more.task,
        on_gateway=more.on_gateway if first.on_gateway is None else first.on_gateway,
    )


def _model(found: Found, route: str, price_of: PriceOf) -> Model:
    dialects = dialects_of(found.id, found.api_types)
    if found.source == CLASSIC_LISTING and not found.id.startswith("databricks-"):
        # the workspace's own endpoint: chat over classic serving, whatever its name and the route
        dialects = (OPENAI_CHAT,)
    elif route == SERVING:
        # a Unity Catalog id does not exist there (2.2)
        dialects = tuple(d for d in dialects if d in _ON_SERVING) if "." not in found.id else ()
    elif found.on_gateway is False:
        dialects = ()
    limits = limits_of(found.id)
    return Model(
        id=found.id,
        family=family_of(found.id),
        dialects=dialects,
        context=limits.context,
        max_output=limits.max_output,
        price=price_of(found.id),
        ready=found.ready,
        reasoning=limits.reasoning,
        attachment=limits.attachment,
        display_name=found.display_name,
        source=found.source,
    )
