"""The listings of models, with their quirks."""

from __future__ import annotations

import pytest

SERVICES = "/api/2.1/unity-catalog/model-services"


def test_model_services_without_parent_or_page_size_end_in_499(ws):
    for query in ("", "?parent=schemas/system.ai", "?page_size=100"):
        reply = ws.get(SERVICES + query)
        assert (reply.status, reply.data) == (499, b"")


def test_model_services_come_in_pages_and_each_once(ws):
    names, token, pages = [], "", 0
    while True:
        more = f"&page_token={token}" if token else ""
        body = ws.get(f"{SERVICES}?parent=schemas/system.ai&page_size=5{more}").json()
        names += [service["name"] for service in body["model_services"]]
        pages += 1
        token = body.get("next_page_token", "")
        if not token:
            break
    assert pages > 2
    assert len(names) == len(set(names))
    assert "model-services/system.ai.claude-opus-4-8" in names
    assert not any("databricks-" in name for name in names)


def test_the_full_view_shows_where_a_service_leads_and_takes_smaller_pages(ws):
    full = ws.get(f"{SERVICES}?parent=schemas/system.ai&page_size=200&view=FULL").json()["model_services"]
    assert full[0]["config"]["routing"]["destinations"][0]["traffic_percentage"] == 100
    assert ws.get(f"{SERVICES}?parent=schemas/system.ai&page_size=201&view=FULL").status == 400


def test_a_schema_that_is_not_there_is_404(ws):
    assert ws.get(f"{SERVICES}?parent=schemas/other.one&page_size=5").json()["error_code"] == "SCHEMA_DOES_NOT_EXIST"
    ws.control.switch(model_services=False)
    assert ws.get(f"{SERVICES}?parent=schemas/system.ai&page_size=5").status == 404


def test_serving_endpoints_are_a_realistic_mix(ws):
    found = {e["name"]: e for e in ws.get("/api/2.0/serving-endpoints").json()["endpoints"]}
    states = {name: e.get("state", {}).get("ready") for name, e in found.items()}
    assert states["databricks-claude-sonnet-4-6"] == "READY"
    assert "NOT_READY" in states.values()
    assert None in states.values()
    assert found["databricks-gte-large-en"]["task"] == "llm/v1/embeddings"
    assert "external_model" in found["team-external-claude"]["config"]["served_entities"][0]


def test_one_endpoint_has_details_and_an_unknown_one_is_404(ws):
    assert ws.get("/api/2.0/serving-endpoints/databricks-gpt-5-2").json()["permission_level"] == "CAN_QUERY"
    reply = ws.get("/api/2.0/serving-endpoints/nothing")
    assert (reply.status, reply.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_foundation_models_name_their_apis_under_a_path_with_a_colon(ws):
    found = ws.get("/api/2.0/serving-endpoints:foundation-models").json()["endpoints"]
    apis = {e["name"]: e["config"]["served_entities"][0]["foundation_model"]["api_types"] for e in found}
    assert apis["databricks-claude-sonnet-4-6"] == ["anthropic/v1/messages", "mlflow/v1/chat/completions"]
    assert apis["databricks-gemini-2-5-pro"][0] == "gemini/v1/generateContent"
    assert apis["databricks-gpt-5-2"][0] == "openai/v1/responses"


def test_the_anthropic_listing_holds_an_alias_that_must_be_skipped(ws):
    ids = [model["id"] for model in ws.get("/ai-gateway/anthropic/v1/models?limit=1000").json()["data"]]
    assert any(model_id.endswith("-anthropic") for model_id in ids)
    assert all(model_id.startswith("databricks-claude-") for model_id in ids)


def test_prices_have_dotted_names_and_some_numbers_are_text(ws):
    models = ws.get("/api/ai-gateway/v2/external-provider-models?page_size=1000").json()["models"]
    prices = {model["model_name"]: model["base_pricing"] for model in models}
    assert float(prices["claude-sonnet-4.6"]["input_per_million_tokens"]) == 3.0
    assert {type(p["input_per_million_tokens"]) for p in prices.values()} == {float, str}


@pytest.mark.parametrize(
    "path",
    [
        "/api/ai-gateway/v2/endpoints",
        "/api/ai-gateway/v2/external-provider-models",
        "/ai-gateway/anthropic/v1/models",
    ],
)
def test_a_workspace_without_the_gateway_answers_404(ws, path):
    assert ws.get(path).status == 200
    ws.control.switch(gateway=False)
    assert ws.get(path).status == 404
