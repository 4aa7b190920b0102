"""What the simulated gateway refuses on the Messages route."""

from __future__ import annotations

import copy
import re

import pytest

PATH = "/ai-gateway/anthropic/v1/messages"
TOOL = {"name": "bash", "description": "d", "input_schema": {"type": "object", "properties": {}}}
BASE = {
    "model": "databricks-claude-sonnet-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": [{"type": "text", "text": "sim:hello"}]}],
    "tools": [TOOL],
}
USE = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
TEXT = {"type": "text", "text": "x"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def _with(**changes):
    return {**copy.deepcopy(BASE), **changes}


def _said(*messages):
    return _with(messages=[{"role": role, "content": content} for role, content in messages])


def _tool(**more):
    return _with(tools=[{**TOOL, **more}])


BLANK = "messages: text content blocks must be non-empty"

REFUSED = [
    (_said(("user", [{"type": "text", "text": ""}])), BLANK),
    (_said(("user", [{"type": "text", "text": " \n"}])), BLANK),
    (_said(("user", [TEXT]), ("assistant", [{"type": "text", "text": ""}]), ("user", [TEXT])), BLANK),
    (_said(("user", "")), BLANK),
    (_said(("user", [])), "all messages must have non-empty content"),
    (_said(("user", [TEXT]), ("assistant", [USE])), "`tool_use` ids were found without `tool_result` blocks"),
    (_said(("user", [TEXT]), ("assistant", [USE]), ("user", [TEXT])), "ids were found without `tool_result`"),
    (_said(("user", [RESULT])), "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
    (_said(("user", [TEXT]), ("assistant", [TEXT]), ("user", [RESULT])), "unexpected `tool_use_id`"),
    (_said(("user", [TEXT]), ("assistant", [USE]), ("user", [RESULT, RESULT])), "must have a single result"),
    (_said(("user", [TEXT]), ("assistant", [USE, USE]), ("user", [RESULT])), "`tool_use` ids must be unique"),
    (_with(system=[{**TEXT, "cache_control": HOUR}]), "system.0.cache_control.ephemeral.ttl: Extra inputs"),
    (_tool(cache_control=HOUR), "tools.0.cache_control.ephemeral.ttl: Extra inputs"),
    (
        _said(
            ("user", [TEXT]),
            ("assistant", [USE]),
            ("user", [{**RESULT, "content": [{**TEXT, "cache_control": HOUR}]}]),
        ),
        "messages.2.content.0.0.cache_control.ephemeral.ttl: Extra inputs",
    ),
    (_said(("system", "be good"), ("user", [TEXT])), 'Unexpected role "system"'),
    (_said(("robot", "x")), "messages.0.role: Input should be 'user' or 'assistant'"),
    (_said(("user", [USE])), "`tool_use` blocks are not allowed in `user` messages"),
    (_said(("user", [{"type": "video"}])), "Input tag 'video' found using 'type'"),
    (_said(("user", [{"type": "text", "text": "x", "zz": 1}])), "messages.0.content.0.text.zz: Extra inputs"),
    (
        _said(
            ("user", [TEXT]),
            ("assistant", [{"type": "thinking", "thinking": "t", "signature": "s", "cache_control": {}}]),
        ),
        "thinking.cache_control: Extra inputs are not permitted",
    ),
    (
        _said(("user", [{**TEXT, "cache_control": {"type": "ephemeral", "scope": "org"}}])),
        "cache_control.ephemeral.scope: Extra inputs are not permitted",
    ),
    (_said(("user", [{**TEXT, "cache_control": {"type": "ephemeral"}}] * 5)), "A maximum of 4 blocks"),
    (_with(messages=[]), "at least one message"),
    (_tool(eager_input_streaming=True), "tools.0.custom.eager_input_streaming: Extra inputs are not permitted"),
    (_tool(defer_loading=True), "tools.0.custom.defer_loading: Extra inputs are not permitted"),
    (_tool(type="web_search_20250305"), "Input tag 'web_search_20250305' found using 'type' does not match any"),
    (_tool(name="a b"), "tools.0.custom.name: String should match pattern"),
    (_tool(input_schema={}), "tools.0.custom.input_schema.type"),
    (_with(tools=[TOOL, TOOL]), "Tool names must be unique"),
    (_with(tools=[], tool_choice={"type": "auto"}), "tool_choice may only be specified while providing tools"),
    (_with(tool_choice={"type": "sometimes"}), "tool_choice: Input should be"),
    (_with(tool_choice={"type": "tool", "name": "no"}), "Tool 'no' not found"),
    (_with(context_management={"edits": []}), "context_management: Extra inputs are not permitted"),
    (_with(output_config={"effort": "high"}), "output_config: Extra inputs are not permitted"),
    (_with(usage_context={"a": "b"}), "usage_context: Extra inputs are not permitted"),
    (_with(metadata={"user_id": "u", "x": 1}), "metadata.x: Extra inputs are not permitted"),
    (_with(thinking={"type": "adaptive"}), "Input tag 'adaptive'"),
    (_with(thinking={"type": "enabled"}), "thinking.enabled.budget_tokens: Field required"),
    (_with(thinking={"type": "enabled", "budget_tokens": 9}), "greater than or equal to 1024"),
    (_with(thinking={"type": "enabled", "budget_tokens": 2000}), "`max_tokens` must be greater than"),
    (_with(max_tokens=64_001), "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens"),
    (_with(max_tokens=0), "max_tokens"),
    (_with(max_tokens="9"), "max_tokens"),
    (_with(temperature=2), "temperature: range: 0..1"),
    (_with(temperature="hot"), "temperature: Expected `float | null`"),
    (_with(stream="yes"), "stream: Expected `bool | null`"),
    (_with(model="system.ai.claude-opus-5", temperature=0.5), "`temperature` is not supported"),
    (_with(system=[{"type": "text", "text": ""}]), "system: text content blocks must be non-empty"),
    ({k: v for k, v in BASE.items() if k != "max_tokens"}, "max_tokens: Field required"),
    ({k: v for k, v in BASE.items() if k != "messages"}, "messages: Field required"),
]


@pytest.mark.parametrize(("body", "word"), REFUSED)
def test_what_the_gateway_refuses_is_refused(shared, body, word):
    reply = shared.post(PATH, body)
    assert reply.status == 400
    assert word in reply.json()["message"]


ACCEPTED = [
    BASE,
    _said(("user", [TEXT]), ("assistant", [TEXT, USE]), ("user", [RESULT, TEXT])),
    _said(("user", [TEXT]), ("assistant", [USE]), ("user", [{**RESULT, "content": [TEXT], "is_error": True}])),
    _said(("user", "text as text"), ("assistant", "a"), ("user", "b")),
    _with(
        system="s", tool_choice={"type": "auto"}, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=5000
    ),
    _with(system=[{**TEXT, "cache_control": {"type": "ephemeral"}}], metadata={"user_id": "u"}),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_is_in_order_is_answered(shared, body):
    assert shared.post(PATH, body).status == 200


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ("context_management", _with(context_management={})),
        ("output_config", _with(output_config={"effort": "low"})),
        ("adaptive_thinking", _with(thinking={"type": "adaptive"})),
        ("system_role_in_messages", _said(("user", [TEXT]), ("system", "agents"), ("user", [TEXT]))),
        ("unknown_keys", _with(brand_new=1)),
    ],
)
def test_inferred_refusals_can_be_switched_off_one_by_one(ws, switch, body):
    assert ws.post(PATH, body).status == 400
    ws.control.switch(**{switch: True})
    assert ws.post(PATH, body).status == 200


def test_unknown_betas_are_refused_by_name_unless_switched(ws):
    good = "claude-code-20250219,interleaved-thinking-2025-05-14"
    assert ws.post(PATH, BASE, anthropic_beta=good).status == 200
    reply = ws.post(PATH, BASE, anthropic_beta=f"{good},structured-outputs-2025-11-13")
    assert "`structured-outputs-2025-11-13`" in reply.json()["message"]
    ws.control.switch(unknown_betas=True)
    assert ws.post(PATH, BASE, anthropic_beta="structured-outputs-2025-11-13").status == 200


def test_blank_text_is_refused_in_exactly_the_recorded_body(ws):
    reply = ws.post(PATH, _said(("user", [{"type": "text", "text": ""}])))
    assert reply.json() == {"message": BLANK}


def test_the_providers_own_error_form_can_be_switched_on(ws):
    ws.control.switch(provider_error_form=True)
    error = ws.post(PATH, _tool(eager_input_streaming=True)).json()
    assert error["type"] == "error"
    assert error["error"]["type"] == "invalid_request_error"


def test_a_prompt_over_the_context_is_refused_with_both_numbers(ws):
    reply = ws.post(PATH, _said(("user", "x" * 900_000)))
    assert re.fullmatch(r"prompt is too long: 2250\d\d tokens > 200000 maximum", reply.json()["message"])
    assert ws.post(PATH, _said(("user", "x" * 700_000))).status == 200


def test_the_log_tells_why_a_request_was_refused(ws):
    ws.post(PATH, _tool(eager_input_streaming=True))
    assert "eager_input_streaming" in ws.control.requests()[-1]["refusal"]
