"""The output limit of a request, as a cap reads and lowers it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.gateway.ceiling import DEFAULT, Ceiling
from moor.wire.index import index_object


def ceiling(dialect: str, body: dict[str, Any], model_max: int | None = None) -> Ceiling:
    return Ceiling(dialect, index_object(json.dumps(body).encode()), model_max)


@pytest.mark.parametrize(
    ("dialect", "body", "tokens"),
    [
        (ANTHROPIC_MESSAGES, {"max_tokens": 50}, 50),
        (OPENAI_CHAT, {"max_tokens": 50, "n": 3}, 150),
        (OPENAI_CHAT, {"max_tokens": 50, "max_completion_tokens": 900}, 900),
        (OPENAI_CHAT, {"max_tokens": 900, "max_completion_tokens": 50}, 900),
        (OPENAI_RESPONSES, {"max_output_tokens": 50}, 50),
        (GEMINI_GENERATE, {"generationConfig": {"maxOutputTokens": 50, "candidateCount": 2}}, 100),
        (OPENAI_CHAT, {"max_tokens": "many"}, DEFAULT),
        (OPENAI_CHAT, {"max_tokens": -1}, DEFAULT),
    ],
)
def test_it_is_the_most_that_may_be_answered(dialect: str, body: dict[str, Any], tokens: int) -> None:
    assert ceiling(dialect, body).tokens == tokens


def test_a_limit_is_lowered_and_none_is_raised() -> None:
    lowered = ceiling(OPENAI_CHAT, {"max_tokens": 50, "max_completion_tokens": 900}).lowered(200)
    assert lowered is not None
    assert json.loads(lowered) == {"max_tokens": 50, "max_completion_tokens": 200}
    lowered = ceiling(OPENAI_CHAT, {"max_tokens": "many"}).lowered(200)
    assert lowered is not None
    assert json.loads(lowered) == {"max_tokens": 200}
