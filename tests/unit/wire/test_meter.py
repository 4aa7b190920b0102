"""Meters: the same usage however the stream is cut, and an honest mark where it was only estimated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.usage import Usage
from moor.wire.meter.base import StreamMeter
from moor.wire.meter.open import open_stream, read_body
from moor.wire.sse import EventBlocks
from tests.unit.wire.test_sse import pieces


def sse(*events: Any, end: str = "\n\n") -> bytes:
    """Events as an upstream sends them."""
    out = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}{end[: len(end) // 2]}" if isinstance(event, dict) and "type" in event else ""
        out.append(f"{name}data: {data}{end}")
    return "".join(out).encode()


STREAMS = {
    ANTHROPIC_MESSAGES: sse(
        {
            "type": "message_start",
            "message": {
                "usage": {
                    "input_tokens": 10,
                    "cache_read_input_tokens": 100,
                    "cache_creation_input_tokens": 20,
                    "output_tokens": 1,
                }
            },
        },
        {"type": "ping"},
        {
            "type": "content_block_delta",
            "delta": {"type": "text_delta", "text": 'says "output_tokens": 999 and [DONE]'},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 42}},
        {"type": "message_stop"},
    ),
    OPENAI_CHAT: sse(
        {"choices": [{"delta": {"content": "a"}, "finish_reason": None}], "usage": None},
        {"choices": [{"delta": {"content": "data: [DONE]"}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {
            "choices": [],
            "usage": {
                "prompt_tokens": 130,
                "completion_tokens": 42,
                "prompt_tokens_details": {"cached_tokens": 100},
                "cache_creation_input_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
        },
        "[DONE]",
    ),
    OPENAI_RESPONSES: sse(
        {"type": "response.created", "response": {"usage": None, "error": None}},
        {"type": "response.output_text.delta", "delta": "response.completed"},
        {
            "type": "response.completed",
            "response": {
                "status": "completed",
                "error": None,
                "usage": {
                    "input_tokens": 110,
                    "input_tokens_details": {"cached_tokens": 100},
                    "output_tokens": 42,
                    "output_tokens_details": {"reasoning_tokens": 7},
                },
            },
        },
    ),
    GEMINI_GENERATE: sse(
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}], "usageMetadata": {"promptTokenCount": 110}},
        {
            "candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}],
            "usageMetadata": {
                "promptTokenCount": 110,
                "cachedContentTokenCount": 100,
                "candidatesTokenCount": 35,
                "thoughtsTokenCount": 7,
            },
        },
        end="\r\n\r\n",
    ),
}
EXPECTED = {
    ANTHROPIC_MESSAGES: Usage(10, 42, 100, 20, 0),
    OPENAI_CHAT: Usage(10, 42, 100, 20, 7),
    OPENAI_RESPONSES: Usage(10, 42, 100, 0, 7),
    GEMINI_GENERATE: Usage(10, 42, 100, 0, 7),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@given(cuts=st.lists(st.integers(0, 2000), max_size=20), held=st.sampled_from([1 << 20, 40]))
def test_any_split_gives_the_same_usage(dialect: str, cuts: list[int], held: int) -> None:
    meter, blocks = open_stream(dialect), EventBlocks(held)
    for piece in pieces(STREAMS[dialect], cuts):
        block = blocks.feed(piece)
        if block:
            meter.feed(block, is_open=blocks.is_open)
    assert meter.usage(0) == (EXPECTED[dialect], False)
    assert meter.tally.ended
    assert meter.tally.error == ""


@given(
    dialect=st.sampled_from(DIALECTS),
    padding=st.lists(st.integers(0, 120), min_size=1, max_size=8),
    end=st.sampled_from([b"\n\n", b"\r\n\r\n", b"\n\n\n"]),
)
def test_a_flood_in_one_block_is_metered_as_event_by_event(dialect: str, padding: list[int], end: bytes) -> None:
    filler = b'data: {"type":"content_block_delta","choices":[],"text":"a word or two of no importance"}'
    events: list[bytes] = []
    for number, event in enumerate(filter(None, STREAMS[dialect].split(b"\n\n"))):
        events += [filler] * padding[number % len(padding)]
        events.append(event.replace(b"\n", end[: len(end) // 2]))
    at_once, one_by_one = open_stream(dialect), open_stream(dialect)
    at_once.feed(b"".join(event + end for event in events))
    for event in events:
        one_by_one.feed(event + end)
    assert at_once.tally.usage(0, 0) == one_by_one.tally.usage(0, 0) == open_whole(dialect).tally.usage(0, 0)
    assert at_once.tally.ended


def open_whole(dialect: str) -> StreamMeter:
    """A meter that has read the stream as it stands."""
    meter = open_stream(dialect)
    meter.feed(STREAMS[dialect])
    return meter


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_was_cut_is_an_estimate(dialect: str) -> None:
    cut = STREAMS[dialect][: STREAMS[dialect].rindex(b"data:", 0, -40)]
    cut = cut[: cut.rindex(b"\n\n") + 2] if b"\n\n" in cut else cut[: cut.rindex(b"\r\n\r\n") + 4]
    meter = open_stream(dialect)
    meter.feed(cut)
    usage, estimated = meter.usage(400)
    assert estimated
    assert usage.input > 0
    assert usage.output > 0


BODIES = {
    ANTHROPIC_MESSAGES: {
        "type": "message",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 42,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 20,
        },
    },
    OPENAI_CHAT: {
        "choices": [{"message": {"content": "x"}}],
        "usage": {
            "prompt_tokens": 130,
            "completion_tokens": 42,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 20,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    },
    OPENAI_RESPONSES: {
        "status": "completed",
        "usage": {
            "input_tokens": 110,
            "input_tokens_details": {"cached_tokens": 100},
            "output_tokens": 42,
            "output_tokens_details": {"reasoning_tokens": 7},
        },
    },
    GEMINI_GENERATE: {
        "candidates": [],
        "usageMetadata": {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 10,
            "cachedContentTokenCount": 100,
            "candidatesTokenCount": 35,
            "thoughtsTokenCount": 7,
        },
    },
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_whole_answer_is_metered(dialect: str) -> None:
    tally = read_body(dialect, json.dumps(BODIES[dialect]).encode())
    assert tally.usage(0, 0) == (EXPECTED[dialect], False)


@pytest.mark.feature("F8.6")
@pytest.mark.parametrize("written", [15, 99])
def test_what_is_written_into_a_cache_for_an_hour_stands_apart_and_is_part_of_what_is_written(written: int) -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 42,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": written},
    }
    body = {"type": "message", "usage": usage}
    told = Usage(input=10, output=42, cache_write=20, cache_write_1h=min(written, 20))
    assert read_body(ANTHROPIC_MESSAGES, json.dumps(body).encode()).usage(0, 0) == (told, False)
    meter = open_stream(ANTHROPIC_MESSAGES)
    meter.feed(sse({"type": "message_start", "message": {"usage": {**usage, "output_tokens": 1}}}))
    meter.feed(sse({"type": "message_delta", "usage": {"output_tokens": 42}}, {"type": "message_stop"}))
    assert meter.usage(0) == (told, False)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"usage":7}', b'{"usage":{"input_tokens":"x"}}', b"{}"])
def test_an_answer_without_usage_is_an_estimate(dialect: str, body: bytes) -> None:
    usage, estimated = read_body(dialect, body).usage(400, 5)
    assert (usage, estimated) == (Usage(input=100, output=5), True)


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        (ANTHROPIC_MESSAGES, {"type": "error", "error": {"type": "overloaded_error", "message": "too busy"}}),
        (OPENAI_CHAT, {"error": {"message": "too busy"}}),
        (OPENAI_RESPONSES, {"type": "response.failed", "response": {"error": {"code": "x", "message": "too busy"}}}),
        (OPENAI_RESPONSES, {"type": "error", "message": "too busy"}),
        (GEMINI_GENERATE, {"error": {"code": 503, "message": "too busy"}}),
    ],
)
def test_an_error_inside_a_stream_is_seen(dialect: str, event: dict[str, Any]) -> None:
    meter = open_stream(dialect)
    meter.feed(sse(event))
    assert meter.tally.error == "too busy"


def delta_events(dialect: str, text: str, *, tool: bool = False) -> dict[str, Any]:
    """One event in which a model writes a text, or a piece of a tool's arguments."""
    if dialect == ANTHROPIC_MESSAGES:
        inner = {"type": "input_json_delta", "partial_json": text} if tool else {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": 0, "delta": inner}
    if dialect == OPENAI_RESPONSES:
        kind = "response.function_call_arguments.delta" if tool else "response.output_text.delta"
        return {"type": kind, "item_id": "msg_0123456789abcdef", "output_index": 0, "delta": text}
    if dialect == GEMINI_GENERATE:
        part = {"functionCall": {"name": "f", "args": {"a": text}}, "thoughtSignature": "c2ln" * 200}
        return {"candidates": [{"content": {"parts": [part if tool else {"text": text}], "role": "model"}}]}
    inner = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]} if tool else {"content": text}
    head = {"id": "chatcmpl-0123456789", "object": "chat.completion.chunk", "created": 1, "model": "system.ai.gpt-5"}
    return {**head, "choices": [{"index": 0, "delta": inner, "finish_reason": None}]}


@pytest.mark.feature("F8.6")
@pytest.mark.parametrize("gap", [b"\n", b"\r\n"])
@pytest.mark.parametrize("in_a_read", [1, 2, 300])
@pytest.mark.parametrize("size", [2, 40, 400, 4000])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_written_so_far_is_estimated_by_its_bytes_however_long_the_deltas_are(
    dialect: str, size: int, in_a_read: int, gap: bytes
) -> None:
    meter = open_stream(dialect)
    events = [sse(delta_events(dialect, "x" * size, tool=number >= 300)) for number in range(600)]
    told = [event.replace(b"\n", gap) for event in events]
    for first in range(0, 600, in_a_read):
        meter.feed(b"".join(told[first : first + in_a_read]))
    usage, estimated = meter.usage(0)
    assert estimated
    true = 600 * max(1, size // 4)
    assert true * 0.9 <= usage.output <= true * 1.2 + 400


@given(noise=st.binary(max_size=200), dialect=st.sampled_from(DIALECTS))
def test_no_bytes_make_a_meter_fail(noise: bytes, dialect: str) -> None:
    meter = open_stream(dialect)
    meter.feed(noise + b'\n\ndata: {"usage":{"x_tokens":[1]},"error":null,"finishReason":1}\n\n')
    meter.usage(10)
    read_body(dialect, noise)


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
@pytest.mark.parametrize(
    "text", ["word", 'says "output_tokens": 9 and response.completed', "x" * 3000, "\n\nevent: error"]
)
@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_RESPONSES])
def test_events_in_the_form_that_upstreams_use_count_as_any_others(dialect: str, text: str, end: str) -> None:
    """Compact, with the type first, one event a read: these are not searched; two in a read are."""
    if dialect == ANTHROPIC_MESSAGES:
        kind, more = "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}
    else:
        kind, more = "response.output_text.delta", {"sequence_number": 1, "delta": text}
    data = json.dumps({"type": kind, **more}, separators=(",", ":"))
    event = f"event: {kind}{end[: len(end) // 2]}data: {data}{end}".encode()
    singly, in_pairs = open_stream(dialect), open_stream(dialect)
    for _ in range(10):
        singly.feed(event)
        singly.feed(event)
        in_pairs.feed(event * 2)
    told, estimated = singly.usage(400)
    assert (told, estimated) == in_pairs.usage(400)
    assert estimated
    assert told.output >= 20
    for meter in (singly, in_pairs):
        meter.feed(event * 3)
        meter.feed(STREAMS[dialect])
        assert meter.usage(400) == (EXPECTED[dialect], False)
        assert meter.tally.ended
