"""Nonsense in any place of a request is refused in words; the simulator itself never fails."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.fuzz import examples

NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)

CLAUDE = {
    "model": "databricks-claude-sonnet-4-6",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "metadata": {"user_id": "u"},
    "tool_choice": {"type": "auto"},
    "tools": [{"name": "bash", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "sim:turns:3"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "bash", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}]}],
        },
    ],
}
FUNCTION = {
    "name": "bash",
    "description": "d",
    "parameters": {"type": "object", "required": ["command"], "properties": {"command": {"type": "string"}}},
}
CHAT = {
    "model": "databricks-kimi-k2-7-code",
    "stream": True,
    "stream_options": {"include_usage": True},
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "thinking": {"type": "enabled"},
    "tools": [{"type": "function", "function": FUNCTION}],
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "sim:turns:3"}]},
        {
            "role": "assistant",
            "content": "x",
            "tool_calls": [{"id": "t", "type": "function", "function": {"name": "bash", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "t", "content": "x"},
    ],
}
CODEX = {
    "model": "databricks-gpt-5-2",
    "instructions": "s",
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "text": {"format": {"type": "text"}},
    "tools": [{"type": "function", **FUNCTION}, {"type": "custom", "name": "apply_patch", "description": "d"}],
    "input": [
        {"role": "developer", "content": "s"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "sim:turns:3"}]},
        {"type": "function_call", "call_id": "t", "name": "bash", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "t", "output": "x"},
    ],
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "s"}]},
    "generationConfig": {"temperature": 1, "maxOutputTokens": 100, "thinkingConfig": {"includeThoughts": True}},
    "tools": [{"functionDeclarations": [FUNCTION]}],
    "contents": [
        {"role": "user", "parts": [{"text": "sim:turns:3"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "bash", "args": {}}, "thoughtSignature": "s"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "bash", "response": {"output": "x"}}}]},
    ],
}
ROUTES = [
    ("/ai-gateway/anthropic/v1/messages", CLAUDE),
    ("/ai-gateway/mlflow/v1/chat/completions", CHAT),
    ("/serving-endpoints/databricks-claude-sonnet-4-6/invocations", CHAT),
    ("/v1/chat/completions", {**CHAT, "model": "sim-coder"}),
    ("/ai-gateway/codex/v1/responses", CODEX),
    ("/ai-gateway/gemini/v1beta/models/databricks-gemini-3-1-pro:generateContent", GEMINI),
    ("/api/2.0/token/create", {"lifetime_seconds": 60, "comment": "c"}),
    ("/api/2.0/token/delete", {"token_id": "x"}),
]


def _places(value, path=()):
    """Every path into a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _places(inner, (*path, key))


def _put(value, path, nonsense):
    if not path:
        return nonsense
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = nonsense
    return changed


@pytest.mark.parametrize(("path", "body"), ROUTES)
def test_the_whole_request_is_in_order(engine, path, body):
    assert engine.post(path, body).status == (404 if "delete" in path else 200)


@pytest.mark.parametrize(("path", "body"), ROUTES)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nonsense_in_one_place_never_breaks_the_simulator(engine, path, body, data):
    place = data.draw(st.sampled_from(list(_places(body))))
    changed = _put(body, place, data.draw(NONSENSE))
    reply = engine.post(path, changed)
    assert reply.status in (200, 400, 403, 404), (changed, reply.text)


@pytest.mark.parametrize(("path", "body"), ROUTES)
def test_each_kind_of_value_in_each_place_never_breaks_the_simulator(engine, path, body):
    broken = []
    for place in _places(body):
        for nonsense in (None, 0, "x", [], {}, [None], {"type": []}):
            changed = _put(body, place, nonsense)
            status = engine.post(path, changed).status
            if status not in (200, 400, 403, 404):
                broken.append((place, nonsense, status))
    assert not broken


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b'{"model":"\\ud800"}')
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_as_a_body_are_answered(engine, data):
    for path in ("/ai-gateway/anthropic/v1/messages", "/oidc/v1/token"):
        assert engine.post(path, data).status in (400, 404, 415)
    assert json.loads(engine.get("/_sim/").data)["simulated"] is True
