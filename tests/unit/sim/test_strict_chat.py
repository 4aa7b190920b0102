"""What the simulated gateway refuses on the chat route, family by family."""

from __future__ import annotations

import copy

import pytest

PATH = "/ai-gateway/mlflow/v1/chat/completions"
CLAUDE, GPT, GEMINI = "databricks-claude-sonnet-4-6", "databricks-gpt-5-2", "databricks-gemini-2-5-pro"
KIMI, GLM, OSS = "databricks-kimi-k2-7-code", "databricks-glm-5-2", "databricks-gpt-oss-120b"
BLANK = "messages: text content blocks must be non-empty"


def _body(model=KIMI, **changes):
    base = {"model": model, "messages": [{"role": "user", "content": "sim:hello"}]}
    return {**copy.deepcopy(base), **changes}


def _call(number=1):
    return {"id": f"c{number}", "type": "function", "function": {"name": "bash", "arguments": "{}"}}


def _result(number=1):
    return {"role": "tool", "tool_call_id": f"c{number}", "content": "ok"}


def _asked(*messages, model=KIMI):
    return _body(model, messages=[{"role": "user", "content": "x"}, *messages])


def _function(parameters=None, **more):
    parameters = parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": "bash", "parameters": parameters, **more}}


NESTED = {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": False}}}

REFUSED = [
    (_body(GEMINI, stream=True, stream_options={"include_usage": True}), "stream_options"),
    (_body(KIMI, stream_options={"include_usage": True}), "stream_options is only allowed when stream is true"),
    (
        _body(GEMINI, tools=[_function({"$schema": "x", "type": "object"})]),
        "Unknown name \"$schema\" at 'tools[0].function_declarations[0].parameters': Cannot find field.",
    ),
    (
        _body(GEMINI, tools=[_function(), _function(NESTED)]),
        "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[1].parameters.properties[0].value'",
    ),
    (_body(KIMI, store=False), "store: Extra inputs are not permitted"),
    (_body(KIMI, tools=[_function(strict=True)]), "tools.0.function.strict: Extra inputs are not permitted"),
    (_body(CLAUDE, reasoning_effort="high"), "reasoning_effort is not supported"),
    (
        _asked(
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
            model=CLAUDE,
        ),
        "Only base64 encoded images",
    ),
    (_asked({"role": "assistant", "content": "", "tool_calls": [_call()]}, _result(), model=CLAUDE), BLANK),
    (_asked({"role": "user", "content": [{"type": "text", "text": " "}]}, model=CLAUDE), BLANK),
    (
        _asked({"role": "assistant", "tool_calls": [_call(1), _call(2)]}, _result(1), _result(2), model=OSS),
        "Multiple tool calls are not supported.",
    ),
    (_asked({"role": "assistant", "tool_calls": [_call()]}), "did not have response messages: c1"),
    (_asked({"role": "assistant", "tool_calls": [_call()]}, {"role": "user", "content": "y"}), "c1"),
    (_asked({"role": "assistant", "tool_calls": [_call()]}, model=CLAUDE), "`tool_use` ids were found without"),
    (_asked(_result()), "must be a response to a preceding message"),
    (_body(GLM, max_tokens=25_001), "max_tokens: 25001 > 25000"),
    (_body("system.ai.gpt-5-6-sol", temperature=0.3), "temperature is not supported"),
    (_body(KIMI, tools=[{"type": "web_search"}]), "tools.0.type"),
    (_body(KIMI, tools=[{"type": "function", "function": {}}]), "tools.0.function.name"),
    (_body(KIMI, tool_choice="auto"), "tool_choice is only allowed when tools"),
    (_body(KIMI, tools=[_function()], tool_choice="perhaps"), "tool_choice: Input should be"),
    (_body(KIMI, messages=[]), "messages: List should have at least 1 item"),
    (_body(KIMI, messages=[{"role": "robot", "content": "x"}]), "messages.0.role"),
    (_body(KIMI, messages=[{"role": "user"}]), "messages.0.content: Field required"),
    (_body(KIMI, messages=[{"role": "user", "content": "x", "zz": 1}]), "messages.0.zz: Extra inputs"),
    (_body(KIMI, messages="hello"), "messages: Expected `array`"),
    (_body(KIMI, stream=1), "stream: Expected `bool | null`"),
]


@pytest.mark.parametrize(("body", "word"), REFUSED)
def test_what_the_gateway_refuses_is_refused(shared, body, word):
    reply = shared.post(PATH, body)
    assert reply.status == 400
    assert word in reply.json()["message"]


ACCEPTED = [
    _body(KIMI, stream=True, stream_options={"include_usage": True}),
    _body(
        KIMI, tools=[_function({"$schema": "x", "type": "object", "additionalProperties": False})], tool_choice="auto"
    ),
    _body(GEMINI, tools=[_function()]),
    _body(GPT, reasoning_effort="high"),
    _body(CLAUDE, thinking={"type": "enabled", "budget_tokens": 1024}),
    _asked({"role": "assistant", "content": None, "tool_calls": [_call(1), _call(2)]}, _result(2), _result(1)),
    _asked({"role": "assistant", "content": "", "tool_calls": [_call()]}, _result()),
    _asked({"role": "assistant", "tool_calls": [_call()]}, _result(), model=OSS),
    _body(GLM, max_tokens=25_000),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_is_in_order_is_answered(shared, body):
    assert shared.post(PATH, body).status == 200


def test_the_cap_of_other_models_can_be_switched_off_but_not_that_of_glm(ws):
    ws.control.switch(output_caps=False)
    assert ws.post(PATH, _body(KIMI, max_tokens=99_999)).status == 200
    assert ws.post(PATH, _body(GLM, max_tokens=25_001)).status == 400


def test_open_models_may_wrap_their_tool_calls_and_call_it_a_stop(ws):
    ws.control.switch(tool_call_quirk=True, finish_reason_quirk=True)
    parameters = {"type": "object", "properties": {"command": {"type": "string"}}}
    body = _body(KIMI, messages=[{"role": "user", "content": "sim:turns:1"}], tools=[_function(parameters)])
    choice = ws.post(PATH, body).json()["choices"][0]
    call = choice["message"]["tool_calls"][0]["function"]
    assert call["name"] == "databricks-tool-call"
    assert '"name":"bash"' in call["arguments"]
    assert choice["finish_reason"] == "stop"
    streamed = ws.post(PATH, {**body, "stream": True}).events()
    names = [c["function"].get("name") for e in streamed[:-1] for c in e["choices"][0]["delta"].get("tool_calls", [])]
    assert names[0] == "databricks-tool-call"


def test_gpt_oss_answers_content_as_a_list_unless_switched(ws):
    body = _body(OSS)
    content = ws.post(PATH, body).json()["choices"][0]["message"]["content"]
    assert [block["type"] for block in content] == ["reasoning", "text"]
    ws.control.switch(list_content=False)
    assert isinstance(ws.post(PATH, body).json()["choices"][0]["message"]["content"], str)


@pytest.mark.parametrize("model", [CLAUDE, OSS])
def test_thoughts_sent_back_to_models_that_think_in_blocks_are_refused_unless_switched(ws, model):
    body = _asked({"role": "assistant", "content": "a", "reasoning_content": "hm"}, model=model)
    answer = ws.post(PATH, body)
    assert answer.status == 400
    assert answer.json()["message"] == "messages.1.reasoning_content: Extra inputs are not permitted"
    assert ws.post(PATH, {**body, "model": KIMI}).status == 200
    ws.control.switch(reasoning_content_back=True)
    assert ws.post(PATH, body).status == 200
