"""The shapes of streamed answers, and that every count of tokens is the same number."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import urllib3

MESSAGES = "/ai-gateway/anthropic/v1/messages"
CHAT = "/ai-gateway/mlflow/v1/chat/completions"
CODEX = "/ai-gateway/codex/v1/responses"
GEMINI = "/ai-gateway/gemini/v1beta/models/databricks-gemini-2-5-pro:"
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


def _claude(prompt, **more):
    tools = [{"name": "bash", "input_schema": SCHEMA}]
    body = {"model": "databricks-claude-sonnet-4-6", "max_tokens": 5000, "tools": tools, **more}
    return {**body, "messages": [{"role": "user", "content": prompt}]}


def _chat(prompt, **more):
    tools = [{"type": "function", "function": {"name": "bash", "parameters": SCHEMA}}]
    body = {"model": "databricks-kimi-k2-7-code", "tools": tools, **more}
    return {**body, "messages": [{"role": "user", "content": prompt}]}


def _codex(prompt, **more):
    tools = [{"type": "function", "name": "bash", "parameters": SCHEMA}]
    return {"model": "databricks-gpt-5-2", "tools": tools, "input": prompt, **more}


def _gemini(prompt, **more):
    tools = [{"functionDeclarations": [{"name": "bash", "parameters": SCHEMA}]}]
    return {"contents": [{"parts": [{"text": prompt}]}], "tools": tools, **more}


def _last_call(ws):
    return ws.control.usage()["calls"][-1]


def test_messages_stream_in_the_documented_order_and_say_what_the_whole_answer_says(ws):
    body = _claude("sim:parallel", thinking={"type": "enabled", "budget_tokens": 1024})
    events = ws.post(MESSAGES, {**body, "stream": True}).events()
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["message_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    blocks = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert blocks == ["thinking", "text", "tool_use", "tool_use"]
    assert kinds.count("content_block_stop") == 4
    whole = ws.post(MESSAGES, body).json()
    arguments = "".join(
        e["delta"]["partial_json"] for e in events if e.get("delta", {}).get("type") == "input_json_delta"
    )
    assert arguments == "".join(
        json.dumps(b["input"], separators=(",", ":")) for b in whole["content"] if b["type"] == "tool_use"
    )
    assert events[-2]["delta"]["stop_reason"] == whole["stop_reason"] == "tool_use"
    assert events[-2]["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


def test_messages_report_what_the_simulator_counts(ws):
    mark = {"cache_control": {"type": "ephemeral"}}
    first = {"role": "user", "content": [{"type": "text", "text": "sim:turns:2 " + "x" * 4000, **mark}]}
    use = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "bash", "input": {}}]}
    done = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "y" * 400}]}
    body = {**_claude(""), "messages": [first]}
    one = ws.post(MESSAGES, body).json()["usage"]
    assert one["cache_read_input_tokens"] == 0
    assert one["cache_creation_input_tokens"] > 1000
    two = ws.post(MESSAGES, {**body, "messages": [first, use, done]}).json()["usage"]
    assert abs(two["cache_read_input_tokens"] - one["cache_creation_input_tokens"] - one["input_tokens"]) <= 1
    assert two["cache_creation_input_tokens"] > 90
    counted = _last_call(ws)
    assert counted["complete"] is True
    assert counted["usage"] == {
        "input": two["input_tokens"],
        "output": two["output_tokens"],
        "cache_read": two["cache_read_input_tokens"],
        "cache_write": two["cache_creation_input_tokens"],
        "reasoning": 0,
        "cache_write_1h": 0,
    }


def test_chat_streams_end_with_usage_only_when_asked_and_always_with_done(ws):
    events = ws.post(CHAT, _chat("sim:parallel", stream=True)).events()
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"
    asked = ws.post(CHAT, _chat("sim:parallel", stream=True, stream_options={"include_usage": True})).events()
    assert asked[-2]["choices"] == []
    counted = _last_call(ws)["usage"]
    assert asked[-2]["usage"]["prompt_tokens"] == counted["input"] + counted["cache_read"]
    assert asked[-2]["usage"]["completion_tokens"] == counted["output"]
    pieces = [c for e in asked[:-2] for c in e["choices"][0]["delta"].get("tool_calls", [])]
    assert [c["index"] for c in pieces if c.get("id")] == [0, 1]
    text = "".join(c["function"]["arguments"] for c in pieces if c["index"] == 1)
    assert json.loads(text) == {"command": "echo simulated second"}


def test_responses_streams_are_numbered_and_closed_by_completed(ws):
    body = _codex("sim:turns:1", stream=True, reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"])
    events = ws.post(CODEX, body).events()
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created"
    done = [event["item"]["type"] for event in events if event["type"] == "response.output_item.done"]
    assert done == ["reasoning", "message", "function_call"]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["encrypted_content"].startswith("simulated-")
    counted = _last_call(ws)["usage"]
    usage = events[-1]["response"]["usage"]
    assert usage["output_tokens"] == counted["output"]
    assert usage["output_tokens_details"]["reasoning_tokens"] == counted["reasoning"] > 0


def test_gemini_streams_events_with_alt_sse_and_an_array_without(ws):
    body = _gemini("sim:think", generationConfig={"thinkingConfig": {"includeThoughts": True}})
    reply = ws.post(f"{GEMINI}streamGenerateContent?alt=sse", body)
    assert b"\r\n\r\n" in reply.data
    events = reply.events()
    assert events[0]["candidates"][0]["content"]["parts"][0]["thought"] is True
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    counted = _last_call(ws)["usage"]
    usage = events[-1]["usageMetadata"]
    assert usage["candidatesTokenCount"] + usage["thoughtsTokenCount"] == counted["output"]
    assert usage["totalTokenCount"] == counted["input"] + counted["cache_read"] + counted["output"]
    assert len(ws.post(f"{GEMINI}streamGenerateContent", body).json()) == len(events)


CALLS = [
    (MESSAGES, _claude, "overloaded_error"),
    (CHAT, _chat, "overloaded"),
    (CODEX, _codex, "response.failed"),
    (f"{GEMINI}streamGenerateContent?alt=sse", _gemini, "UNAVAILABLE"),
]


@pytest.mark.parametrize(("path", "body", "word"), CALLS)
def test_an_error_in_mid_stream_comes_in_the_dialects_form_and_is_no_complete_call(ws, path, body, word):
    text = ws.post(path, body("sim:error-mid-stream", **_stream(path))).text
    assert word in text.strip().split("\n")[-1]
    assert _last_call(ws)["complete"] is False


@pytest.mark.parametrize(("path", "body", "word"), CALLS)
def test_a_cut_drops_the_connection_inside_an_event(ws, path, body, word):
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ws.post(path, body("sim:cut", **_stream(path)))
    assert _last_call(ws)["complete"] is False


@pytest.mark.parametrize(("path", "body", "word"), CALLS)
def test_a_stall_keeps_the_connection_and_says_nothing(ws, path, body, word):
    with _open(ws, path, body("sim:stall", **_stream(path))) as line:
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            _read_all(line)


def _read_all(line):
    while line.recv(65536):
        pass


def _stream(path):
    return {} if "gemini" in path else {"stream": True}


def _open(ws, path, body):
    at = urlsplit(ws.sim.url)
    data = json.dumps(body).encode()
    line = socket.create_connection((at.hostname, at.port), timeout=5)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ws.token}\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    line.sendall(head.encode() + data)
    return line


def test_an_empty_answer_is_an_empty_text_block(ws):
    whole = ws.post(MESSAGES, _claude("sim:empty-answer")).json()
    assert whole["content"] == [{"type": "text", "text": ""}]
    assert whole["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("name", "anthropic", "chat"),
    [("out-of-tokens", "max_tokens", "length"), ("refusal", "refusal", "content_filter")],
)
def test_other_endings_have_the_dialects_words(ws, name, anthropic, chat):
    assert ws.post(MESSAGES, _claude(f"sim:{name}")).json()["stop_reason"] == anthropic
    assert ws.post(CHAT, _chat(f"sim:{name}")).json()["choices"][0]["finish_reason"] == chat


def test_a_long_answer_has_exactly_the_asked_length(ws):
    text = ws.post(CHAT, _chat("sim:long:20000")).json()["choices"][0]["message"]["content"]
    assert len(text) == 20000 + len("(simulated) ")


def test_a_client_that_leaves_an_endless_answer_ends_it(ws):
    with _open(ws, CHAT, _chat("sim:endless", stream=True)) as line:
        got = b""
        while len(got) < 20_000:
            got += line.recv(65536)
    assert _eventually(lambda: ws.control.requests()[-1]["client_left"])
    assert _last_call(ws)["complete"] is False


def test_a_client_that_leaves_before_the_first_byte_is_noticed(ws):
    with _open(ws, CHAT, _chat("sim:turns:1:30")):
        assert _eventually(lambda: ws.control.usage()["calls"])
    assert _eventually(lambda: ws.control.requests()[-1]["client_left"])
    assert _eventually(lambda: ws.control.requests()[-1]["finished"])


def test_requests_in_one_go_are_answered_in_order(ws):
    at = urlsplit(ws.sim.url)
    one = f"GET /{{}} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ws.token}\r\n\r\n"
    with socket.create_connection((at.hostname, at.port), timeout=5) as line:
        line.sendall((one.format("a") + one.format("b") + one.format("c")).encode())
        got = b""
        while got.count(b"No API found") < 3:
            got += line.recv(65536)
    places = [got.index(f"'GET /{name}'".encode()) for name in "abc"]
    assert places == sorted(places)


def _eventually(holds):
    end = time.monotonic() + 5
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
