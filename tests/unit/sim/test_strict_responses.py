"""What the simulated gateway refuses on the Responses route."""

from __future__ import annotations

import pytest

PATH = "/ai-gateway/codex/v1/responses"
ASK = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "sim:hello"}]}
CALL = {"type": "function_call", "call_id": "c1", "name": "bash", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "ok"}


def _body(*items, **changes):
    return {"model": "databricks-gpt-5-2", "input": [ASK, *items], **changes}


REFUSED = [
    (_body(client_metadata={"a": "b"}), "client_metadata: Extra inputs are not permitted"),
    (_body(tools=[{"type": "namespace", "name": "n", "tools": []}]), "Invalid value: 'namespace'"),
    (_body(tools=[{"type": "web_search"}]), "Invalid value: 'web_search'"),
    (_body(tools=[{"type": "function"}]), "Missing required parameter: 'tools[0].name'"),
    (_body(tools=[{"type": "function", "name": "n", "zz": 1}]), "tools[0].zz: Extra inputs"),
    (_body(brand_new=1), "brand_new: Extra inputs are not permitted"),
    (_body(CALL), "No tool output found for function call c1."),
    (_body(OUTPUT), "No tool call found for function call output with call_id c1."),
    (_body({"type": "additional_tools"}), "Invalid value: 'additional_tools'"),
    (
        _body({"type": "function_call", "name": "n", "arguments": "{}"}),
        "Missing required parameter: 'input[1].call_id'",
    ),
    (_body({"role": "robot", "content": "x"}), "Invalid value: 'robot'"),
    (_body({"role": "user", "content": [{"type": "text", "text": "x"}]}), "Invalid value: 'text'"),
    (_body(previous_response_id="resp_1"), "Previous response with id 'resp_1' not found."),
    (_body(max_output_tokens=128_001), "max_output_tokens: 128001 > 128000"),
    (_body(tool_choice="perhaps"), "Invalid value: 'perhaps'"),
    ({"model": "databricks-gpt-5-2", "input": []}, "empty array"),
    ({"model": "databricks-gpt-5-2"}, "input: Field required"),
    ({"model": "system.ai.gpt-5-6-sol", "input": "x", "temperature": 1}, "Unsupported parameter: 'temperature'"),
]


@pytest.mark.parametrize(("body", "word"), REFUSED)
def test_what_the_gateway_refuses_is_refused(shared, body, word):
    reply = shared.post(PATH, body)
    assert reply.status == 400
    assert word in reply.json()["message"]


ACCEPTED = [
    {"model": "databricks-gpt-5-2", "input": "sim:hello"},
    _body(CALL, OUTPUT),
    _body(CALL, {**CALL, "call_id": "c2"}, {**OUTPUT, "call_id": "c2"}, OUTPUT),
    _body({"type": "reasoning", "encrypted_content": "x", "summary": []}, CALL, OUTPUT),
    _body(
        {"role": "developer", "content": "rules"},
        store=False,
        include=["reasoning.encrypted_content"],
        prompt_cache_key="k",
        reasoning={"effort": "medium", "summary": "auto"},
        max_output_tokens=32_000,
        tools=[{"type": "function", "name": "bash", "strict": False, "parameters": {"type": "object"}}],
        tool_choice="auto",
    ),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_is_in_order_is_answered(shared, body):
    assert shared.post(PATH, body).status == 200


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ("client_metadata", _body(client_metadata={})),
        ("hosted_web_search", _body(tools=[{"type": "web_search", "external_web_access": False}])),
        ("namespace_tools", _body(tools=[{"type": "namespace", "name": "n", "tools": []}])),
    ],
)
def test_inferred_refusals_can_be_switched_off_one_by_one(ws, switch, body):
    assert ws.post(PATH, body).status == 400
    ws.control.switch(**{switch: True})
    assert ws.post(PATH, body).status == 200


def test_both_responses_routes_lead_to_the_same_place_unless_one_is_switched_off(ws):
    other = "/ai-gateway/openai/v1/responses"
    assert ws.post(other, _body()).status == 200
    ws.control.switch(openai_responses_route=False)
    assert ws.post(other, _body()).status == 404
