"""Pictures weigh what they cost, where they are pictures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.media import PICTURE_TOKENS, weight
from moor.wire.meter.base import BYTES_PER_TOKEN

DATA = "iVBORw0KGgo" + "A" * 400_000
URL = f"data:image/png;base64,{DATA}"
OURS = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}
MOST = PICTURE_TOKENS * BYTES_PER_TOKEN

PICTURES: list[tuple[str, dict[str, Any]]] = [
    (ANTHROPIC_MESSAGES, {"messages": [{"role": "user", "content": [OURS]}]}),
    (
        ANTHROPIC_MESSAGES,
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [OURS]}]}]},
    ),
    (OPENAI_CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]}]}),
    (OPENAI_RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]}),
    (
        OPENAI_RESPONSES,
        {"input": [{"type": "function_call_output", "output": [{"type": "input_image", "image_url": URL}]}]},
    ),
    (GEMINI_GENERATE, {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": DATA}}]}]}),
    (
        GEMINI_GENERATE,
        {
            "contents": [
                {
                    "parts": [
                        {"functionResponse": {"parts": [{"inline_data": {"mime_type": "image/png", "data": DATA}}]}}
                    ]
                }
            ]
        },
    ),
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    (ANTHROPIC_MESSAGES, {"messages": [{"role": "user", "content": DATA}]}),
    (
        ANTHROPIC_MESSAGES,
        {"messages": [{"role": "user", "content": [{"type": "text", "text": DATA, "source": OURS}]}]},
    ),
    (ANTHROPIC_MESSAGES, {"messages": [{"content": [{"type": "tool_use", "input": OURS}]}]}),
    (ANTHROPIC_MESSAGES, {"tools": [{"input_schema": OURS}], "messages": []}),
    (ANTHROPIC_MESSAGES, {"messages": [{"content": [{"type": "document", "source": OURS["source"]}]}]}),
    (OPENAI_CHAT, {"messages": [{"content": [{"type": "text", "text": URL}]}, {"content": {"image_url": URL}}]}),
    (OPENAI_CHAT, {"messages": URL}),
    (GEMINI_GENERATE, {"contents": [{"parts": [{"inlineData": {"mimeType": "application/pdf", "data": DATA}}]}]}),
]


@pytest.mark.parametrize(("dialect", "body"), PICTURES)
def test_a_picture_weighs_what_a_model_counts_for_it_at_most(dialect: str, body: dict[str, Any]) -> None:
    assert MOST < weight(dialect, json.dumps(body).encode()) < MOST + 300


@pytest.mark.parametrize(("dialect", "body"), OTHERS)
def test_the_same_bytes_anywhere_else_weigh_what_they_are(dialect: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    assert weight(dialect, raw) == len(raw)


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{" * 100_000, b'{"messages": [1, [2], {"content": [3]}]}', b"\xff"])
def test_what_has_another_form_weighs_what_it_is(raw: bytes) -> None:
    assert weight(ANTHROPIC_MESSAGES, raw) == len(raw)
