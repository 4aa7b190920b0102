"""The listings of models in all their forms, quirks included (facts/databricks 2.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from moor.sim import switches
from moor.sim.catalogue.models import ANTHROPIC_API, CLAUDE, EMBEDDING, EXTERNAL, SERVICE, ModelCard, cards
from moor.sim.identity.account import org_header
from moor.sim.messages import Answer, Json, api_error, json_answer, plain_error
from moor.sim.state import Ask

_BORN_MS: Final = 1_780_000_000_000
_PAGE_MAX: Final = {"BASIC": 1000, "FULL": 200}


async def serving_endpoints(ask: Ask) -> Answer:
    """GET /api/2.0/serving-endpoints"""
    found = [_endpoint(card) for card in cards() if card.endpoint]
    return json_answer({"endpoints": found}, 200, org_header(ask))


async def serving_endpoint(ask: Ask) -> Answer:
    """GET /api/2.0/serving-endpoints/{name}"""
    name = ask.params["name"]
    card = next((card for card in cards() if card.endpoint_id == name), None)
    if card is None:
        return api_error(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
    url = f"{ask.state.url}/serving-endpoints/{name}/invocations"
    return json_answer(
        {**_endpoint(card), "permission_level": "CAN_QUERY", "endpoint_url": url, "route_optimized": False}
    )


def _endpoint(card: ModelCard) -> Json:
    entity: Json = {"name": f"{card.endpoint_id}-1", "entity_version": "1"}
    if card.family == EXTERNAL:
        entity["external_model"] = {"provider": "anthropic", "name": "claude-sonnet-4-6", "task": "llm/v1/chat"}
    else:
        entity["entity_name"] = f"system.ai.{card.endpoint_id}"
        entity["foundation_model"] = {
            "name": card.endpoint_id,
            "display_name": f"{card.name} (simulated)",
            "description": "A scripted model of the Moorage simulator",
        }
    body: Json = {
        "id": hashlib.sha256(card.endpoint_id.encode()).hexdigest()[:32],
        "name": card.endpoint_id,
        "creator": "System-User",
        "creation_timestamp": _BORN_MS,
        "last_updated_timestamp": _BORN_MS,
        "config": {"served_entities": [entity], "traffic_config": {}},
        "task": "llm/v1/embeddings" if card.family == EMBEDDING else "llm/v1/chat",
        "tags": [],
        "ai_gateway": {"usage_tracking_config": {"enabled": True}},
    }
    if card.ready:
        body["state"] = {"ready": card.ready, "config_update": "NOT_UPDATING"}
    return body


async def foundation_models(ask: Ask) -> Answer:
    """GET /api/2.0/serving-endpoints:foundation-models"""
    if not ask.state.switches[switches.FOUNDATION_MODELS]:
        return api_error(404, "ENDPOINT_NOT_FOUND", f"No API found for 'GET {ask.request.path}'")
    found = [
        {
            "name": card.endpoint_id,
            "config": {
                "served_entities": [
                    {"foundation_model": {"ai_gateway_v2_supported": True, "api_types": list(card.api_types)}}
                ]
            },
        }
        for card in cards()
        if card.endpoint and card.family != EXTERNAL
    ]
    return json_answer({"endpoints": found}, 200, org_header(ask))


async def model_services(ask: Ask) -> Answer:
    """GET /api/2.1/unity-catalog/model-services: 499 without parent or page size, paging, two views."""
    query = ask.request.query
    view = query.get("view", "BASIC")
    if not query.get("parent") or not query.get("page_size", "").isdigit():
        return Answer(status=499, headers=(), body=b"")
    if view not in _PAGE_MAX or not 0 < int(query["page_size"]) <= _PAGE_MAX[view]:
        return api_error(400, "INVALID_PARAMETER_VALUE", f"page_size must be between 1 and {_PAGE_MAX.get(view, 0)}")
    if query["parent"] != "schemas/system.ai":
        schema = query["parent"].removeprefix("schemas/")
        return api_error(404, "SCHEMA_DOES_NOT_EXIST", f"Schema '{schema}' does not exist.")
    if not ask.state.switches[switches.MODEL_SERVICES]:
        return api_error(404, "SCHEMA_DOES_NOT_EXIST", "Schema 'system.ai' does not exist.")
    return _page([_service(card, view) for card in cards() if card.service], query)


def _page(services: list[Json], query: Json) -> Answer:
    size = int(query["page_size"])
    start = _page_start(query.get("page_token", ""))
    if start is None or start > len(services):
        return api_error(400, "INVALID_PARAMETER_VALUE", "page_token is not valid")
    body: Json = {"model_services": services[start : start + size]}
    if start + size < len(services):
        body["next_page_token"] = base64.urlsafe_b64encode(f"sim:{start + size}".encode()).decode()
    return json_answer(body)


def _page_start(page_token: str) -> int | None:
    if not page_token:
        return 0
    try:
        word, _, place = base64.urlsafe_b64decode(page_token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(place) if word == "sim" and place.isdigit() else None


def _service(card: ModelCard, view: str) -> Json:
    body: Json = {"name": f"model-services/{SERVICE}{card.name}", "supported_api_types": list(card.api_types)}
    if view == "FULL":
        destination = {
            "name": card.name,
            "destination_type": "DESTINATION_TYPE_PAY_PER_TOKEN_FOUNDATION_MODEL",
            "traffic_percentage": 100,
            "pay_per_token_config": {"model": card.name},
        }
        body["config"] = {"routing": {"destinations": [destination], "fallback": {}}, "rate_limits": []}
        body["comment"] = "simulated"
    return body


async def gateway_endpoints(ask: Ask) -> Answer:
    """GET /api/ai-gateway/v2/endpoints: 200 even when empty says that the gateway is on."""
    if not ask.state.switches[switches.GATEWAY]:
        return api_error(404, "ENDPOINT_NOT_FOUND", f"No API found for 'GET {ask.request.path}'")
    return json_answer({}, 200, org_header(ask))


async def anthropic_models(_ask: Ask) -> Answer:
    """GET /ai-gateway/anthropic/v1/models: Claude endpoints, one of them an alias that clients must skip."""
    ids = [card.endpoint_id for card in cards() if card.family == CLAUDE and card.endpoint]
    ids.append(f"{ids[0]}-anthropic")
    data = [
        {"id": model_id, "type": "model", "display_name": model_id, "created_at": "2026-05-01T00:00:00Z"}
        for model_id in ids
    ]
    return json_answer({"data": data, "has_more": False, "first_id": ids[0], "last_id": ids[-1]})


async def external_prices(ask: Ask) -> Answer:
    """GET /api/ai-gateway/v2/external-provider-models: prices by dotted vendor names; some numbers are strings."""
    if not ask.state.switches[switches.GATEWAY]:
        return plain_error(404, "ENDPOINT_NOT_FOUND", f"No API found for 'GET {ask.request.path}'")
    priced = [card for card in cards() if any(card.price)]
    return json_answer({"models": [_price(card, place) for place, card in enumerate(priced)]})


def _price(card: ModelCard, place: int) -> Json:
    given, made, cached = card.price
    numbers = {
        "input_per_million_tokens": given,
        "output_per_million_tokens": made,
        "cache_read_per_million_tokens": cached,
    }
    if ANTHROPIC_API in card.api_types and place % 2:
        return {"model_name": _dotted(card.name), "base_pricing": {k: f"{v:g}" for k, v in numbers.items()}}
    return {"model_name": _dotted(card.name), "base_pricing": numbers}


def _dotted(name: str) -> str:
    """claude-sonnet-4-6 -> claude-sonnet-4.6, as price lists spell versions."""
    head, dash, last = name.rpartition("-")
    return f"{head}.{last}" if dash and last.isdigit() and head[-1:].isdigit() else name
