"""Calls as conversations, in every dialect and in forms nobody expects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.wire.transcript import Turn, answer_turns, pretty, request_turns

REQUESTS: dict[str, dict[str, Any]] = {
    "anthropic": {
        "system": [{"type": "text", "text": "be kind"}],
        "tools": [{"name": "Read"}, {"type": "bash_20250124"}],
        "messages": [
            {"role": "user", "content": "look"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "x"},
                    {"type": "tool_use", "id": "t", "name": "Read", "input": {"path": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"text": "found"}]}],
            },
        ],
    },
    "chat": {
        "tools": [{"type": "function", "function": {"name": "Read"}}, {"function": {"name": "bash_20250124"}}],
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"function": {"name": "Read", "arguments": '{"path": "a"}'}}],
            },
            {"role": "tool", "tool_call_id": "t", "content": "found"},
        ],
    },
    "responses": {
        "instructions": "be kind",
        "tools": [{"type": "function", "name": "Read"}, {"type": "bash_20250124"}],
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "look"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "name": "Read", "arguments": '{"path": "a"}', "call_id": "t"},
            {"type": "function_call_output", "call_id": "t", "output": "found"},
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "tools": [{"functionDeclarations": [{"name": "Read"}, {"name": "bash_20250124"}]}],
        "contents": [
            {"role": "user", "parts": [{"text": "look"}]},
            {
                "role": "model",
                "parts": [{"text": "hm", "thought": True}, {"functionCall": {"name": "Read", "args": {"path": "a"}}}],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "Read", "response": "found"}}]},
        ],
    },
}


@pytest.mark.parametrize("dialect", REQUESTS)
def test_a_request_is_told_in_its_order(dialect: str) -> None:
    turns = request_turns(json.dumps(REQUESTS[dialect]))
    told = [(turn.kind, turn.text) for turn in turns]
    assert ("text", "be kind") in told
    assert ("other", "2 tools: Read, bash_20250124") in told
    rest = [one for one in told if one[0] in ("text", "thought", "call", "result") and one[1] != "be kind"]
    wanted = [("text", "look"), ("thought", "hm"), ("call", 'Read {"path": "a"}'), ("result", "found")]
    assert rest == [one for one in wanted if dialect != "chat" or one[0] != "thought"]


def sse(*events: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


ANSWERS = {
    "anthropic": sse(
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "I "}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "look"}},
        {"type": "content_block_start", "content_block": {"type": "tool_use", "name": "Read"}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": '{"path":'}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": '"a"}'}},
    ),
    "chat": sse(
        {"choices": [{"delta": {"reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"content": "I "}}]},
        {"choices": [{"delta": {"content": "look"}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": "Read", "arguments": ""}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": '{"path":"a"}'}}]}}]},
    )
    + "data: [DONE]\n\n",
    "responses": sse(
        {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
        {"type": "response.output_text.delta", "delta": "I look"},
        {
            "type": "response.output_item.done",
            "item": {"type": "function_call", "name": "Read", "arguments": '{"path":"a"}'},
        },
    ),
    "gemini": sse(
        {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "I "}]}}]},
        {
            "candidates": [
                {"content": {"parts": [{"text": "look"}, {"functionCall": {"name": "Read", "args": {"path": "a"}}}]}}
            ]
        },
    ),
}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_a_stream_is_put_together(dialect: str) -> None:
    turns = [(turn.kind, turn.text.replace(" ", "")) for turn in answer_turns(ANSWERS[dialect])]
    assert turns == [("thought", "hm"), ("text", "Ilook"), ("call", 'Read{"path":"a"}')]


@pytest.mark.parametrize(
    ("body", "turn"),
    [
        ({"content": [{"type": "text", "text": "hi"}]}, Turn("assistant", "text", "hi")),
        ({"choices": [{"message": {"role": "assistant", "content": "hi"}}]}, Turn("assistant", "text", "hi")),
        (
            {
                "output": [
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
                ]
            },
            Turn("assistant", "text", "hi"),
        ),
        ({"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}, Turn("assistant", "text", "hi")),
        ({"error": {"message": "no"}}, Turn("upstream", "other", '{"message": "no"}')),
    ],
)
def test_an_answer_in_one_piece_is_told(body: dict[str, Any], turn: Turn) -> None:
    assert answer_turns(json.dumps(body)) == [turn]


NAMES = st.sampled_from(
    ["messages", "input", "contents", "content", "parts", "role", "type", "tool_calls", "function", "text", "output"]
    + ["choices", "candidates", "delta", "message", "error", "item", "response", "tools", "functionCall", "system"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, values, max_size=6))
def test_no_form_is_an_error(body: dict[str, Any]) -> None:
    text = json.dumps(body)
    for turn in (*request_turns(text), *answer_turns(text), *answer_turns(f"data: {text}\n\n")):
        assert isinstance(turn.text, str)


def test_what_is_no_json_stays_as_it_is() -> None:
    assert pretty("{not json") == "{not json"
    assert pretty('{"a":1}') == '{\n  "a": 1\n}'
    assert request_turns("\udcff not json") == []
