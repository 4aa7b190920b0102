"""Which id works on which route, and the routes themselves."""

from __future__ import annotations

import pytest

MESSAGES = "/ai-gateway/anthropic/v1/messages"
CHAT = "/ai-gateway/mlflow/v1/chat/completions"
CODEX = "/ai-gateway/codex/v1/responses"
SAY = [{"role": "user", "content": "sim:hello"}]


def _gemini(model, action="generateContent"):
    return f"/ai-gateway/gemini/v1beta/models/{model}:{action}"


@pytest.mark.parametrize("model", ["system.ai.claude-sonnet-4-6", "databricks-claude-sonnet-4-6"])
def test_both_forms_of_an_id_work_on_the_gateway(ws, model):
    reply = ws.post(MESSAGES, {"model": model, "max_tokens": 9, "messages": SAY})
    assert reply.json()["model"] == model


def test_a_service_id_is_not_found_on_classic_serving(ws):
    path = "/serving-endpoints/chat/completions"
    assert ws.post(path, {"model": "databricks-glm-5-2", "messages": SAY}).status == 200
    reply = ws.post(path, {"model": "system.ai.glm-5-2", "messages": SAY})
    assert (reply.status, reply.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize("model", ["gpt-5", "system.ai.databricks-gpt-5", "claude", ""])
def test_an_id_that_is_not_exact_is_not_found(ws, model):
    reply = ws.post(CHAT, {"model": model, "messages": SAY})
    assert reply.status in (400, 404)
    if model:
        assert reply.json() == {"error_code": "NOT_FOUND", "message": f"NOT_FOUND: '{model}' does not exist"}


def test_responses_with_a_claude_is_refused_in_the_recorded_words(ws):
    reply = ws.post(CODEX, {"model": "databricks-claude-sonnet-4-6", "input": "hi"})
    assert (reply.status, reply.json()["message"]) == (400, "Responses API passthrough is not supported")


def test_a_dialect_a_model_does_not_speak_is_refused(ws):
    assert ws.post(MESSAGES, {"model": "databricks-gpt-5-2", "max_tokens": 9, "messages": SAY}).status == 400
    assert ws.post(_gemini("databricks-gpt-5-2"), {"contents": []}).status == 400
    assert ws.post(CHAT, {"model": "databricks-gte-large-en", "messages": SAY}).status == 400


def test_every_chat_family_speaks_chat(ws):
    for model in ("claude-sonnet-4-6", "gpt-5-2", "gemini-2-5-pro", "kimi-k2-7-code"):
        reply = ws.post(CHAT, {"model": f"databricks-{model}", "messages": SAY})
        assert "simulated" in str(reply.json()["choices"][0]["message"]["content"])


def test_a_model_that_is_not_ready_is_503(ws):
    reply = ws.post(CHAT, {"model": "databricks-meta-llama-3-3-70b-instruct", "messages": SAY})
    assert (reply.status, reply.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_invocations_take_the_model_from_the_path(ws):
    reply = ws.post("/serving-endpoints/databricks-glm-5-2/invocations", {"messages": SAY})
    assert reply.json()["model"] == "databricks-glm-5-2"


def test_counting_tokens_is_absent_on_classic_and_switched_on_the_gateway(ws):
    body = {"model": "databricks-claude-sonnet-4-6", "messages": SAY}
    classic = ws.post("/serving-endpoints/anthropic/v1/messages/count_tokens", body)
    assert classic.json()["message"].startswith("Path must be of form /serving-endpoints/")
    assert ws.post(f"{MESSAGES}/count_tokens", body).status == 404
    ws.control.switch(count_tokens=True)
    assert ws.post(f"{MESSAGES}/count_tokens", body).json() == {"input_tokens": 3}


@pytest.mark.parametrize(
    ("switch", "path", "body"),
    [
        ("classic_responses", "/serving-endpoints/responses", {"model": "databricks-gpt-5-2", "input": "hi"}),
        ("classic_codex", "/serving-endpoints/openai/v1/responses", {"model": "databricks-gpt-5-2", "input": "hi"}),
        (
            "classic_google",
            "/serving-endpoints/google/v1beta/models/databricks-gemini-2-5-pro:generateContent",
            {"contents": [{"parts": [{"text": "hi"}]}]},
        ),
    ],
)
def test_doubtful_classic_routes_stand_behind_switches(ws, switch, path, body):
    assert ws.post(path, body).json()["error_code"] == "ENDPOINT_NOT_FOUND"
    ws.control.switch(**{switch: True})
    assert ws.post(path, body).status == 200


def test_the_older_gateway_host_serves_the_dialects_without_the_prefix_and_nothing_else(workspace_of):
    ws = workspace_of(gateway_host=True)
    body = {"model": "databricks-claude-sonnet-4-6", "max_tokens": 9, "messages": SAY}
    base = ws.sim.gateway_url
    assert ws.post(f"{base}/anthropic/v1/messages", body).status == 200
    assert ws.get(f"{base}/api/2.0/preview/scim/v2/Me").status == 404
    by_name = ws.post("/anthropic/v1/messages", body, host="900800700600.ai-gateway.cloud.databricks.com")
    assert by_name.status == 200
    assert ws.post("/anthropic/v1/messages", body).status == 404


def test_the_engine_lists_and_answers_and_wants_its_own_key(workspace_of):
    ws = workspace_of(openai_engine=True, engine_api_key="local-key")
    assert ws.get("/v1/models").status == 401
    listed = ws.get("/v1/models", token="local-key").json()
    assert [model["id"] for model in listed["data"]] == ["sim-coder", "sim-small"]
    body = {"model": "sim-coder", "messages": SAY, "store": False}
    reply = ws.post("/v1/chat/completions", body, token="local-key")
    assert reply.json()["choices"][0]["message"]["content"] == "Hello from the simulated model."
    unknown = ws.post("/v1/chat/completions", {**body, "model": "x"}, token="local-key")
    assert unknown.json()["error"]["message"] == "The model `x` does not exist."


def test_without_the_engine_its_paths_do_not_exist(ws):
    assert ws.get("/v1/models").status == 404


def test_a_body_that_is_no_object_or_compressed_is_refused(ws):
    assert ws.post(CHAT, b"[1]").json()["error_code"] == "MALFORMED_REQUEST"
    assert ws.post(CHAT, b"{").json()["error_code"] == "MALFORMED_REQUEST"
    assert ws.post(CHAT, b"{}", content_encoding="gzip").status == 415


def test_a_compressed_body_is_decoded_when_switched_on(ws):
    import gzip
    import json

    ws.control.switch(compressed_requests=True)
    body = gzip.compress(json.dumps({"model": "databricks-glm-5-2", "messages": SAY}).encode())
    assert ws.post(CHAT, body, content_encoding="gzip").status == 200


def test_request_tags_must_be_an_object_of_strings(ws):
    body = {"model": "databricks-glm-5-2", "messages": SAY}
    tags = "databricks_ai_gateway_request_tags"
    assert ws.post(CHAT, body, **{tags: '{"team":"x"}'}).status == 200
    assert ws.post(CHAT, body, **{tags: '{"team":1}'}).status == 400
    assert ws.control.requests()[-2]["request_tags"] == '{"team":"x"}'


def test_the_control_api_refuses_browsers_and_unknown_calls(ws):
    assert ws.get("/_sim/", token="").json()["simulated"] is True
    assert ws.get("/_sim/", token="", origin="http://evil.example").status == 403
    assert ws.get("/_sim/nothing", token="").status == 404
    assert "no switch" in ws.post("/_sim/switches", {"nothing": True}, token="").json()["error"]
    assert ws.post("/_sim/faults", {"rout": "x"}, token="").status == 400
