"""Refusals in the form of each dialect, in a stream that has begun."""

from __future__ import annotations

import json
import re

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.numbers import as_meant
from moor.wire.refusal import BUDGET, LIMIT, Refusal, as_clients_read, body, event

REFUSAL = Refusal(status=403, ref="budget-reached", message="the budget is spent")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_in_a_stream_ends_as_an_event_does_and_says_the_sentence(dialect: str) -> None:
    told = event(dialect, REFUSAL)
    assert told.endswith(b"\n\n")
    assert REFUSAL.sentence.encode() in told


@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_CHAT])
def test_it_is_the_data_of_an_event(dialect: str) -> None:
    assert json.loads(event(dialect, REFUSAL).partition(b"data: ")[2])["error"]["message"] == REFUSAL.sentence


def test_clients_of_google_find_it_outside_of_events_only() -> None:
    assert json.loads(event(GEMINI_GENERATE, REFUSAL))["error"]["code"] == 403


def test_an_upstreams_error_inside_events_is_told_alike() -> None:
    block = b'data: {"candidates": []}\n\ndata: {"error": {"code": 500}}\n\n'
    assert as_clients_read(GEMINI_GENERATE, block) == b'data: {"candidates": []}\n\n{"error": {"code": 500}}\n\n'
    assert as_clients_read(OPENAI_CHAT, block) is block


@pytest.mark.parametrize("amount", ["500", "50000", "1502", "$0.024291", "524288", "5035040", "429"])
def test_an_amount_is_never_taken_for_a_status_and_reads_as_it_was_meant(amount: str) -> None:
    refusal = Refusal(status=403, ref="budget-reached", message=f"this session has used 12 of {amount} tokens")
    assert not re.search("429|500|502|503|504|524", refusal.sentence)
    assert as_meant(refusal.sentence) == f"moor: {refusal.message}."


@pytest.mark.parametrize(
    ("dialect", "word"),
    [
        (ANTHROPIC_MESSAGES, "rate_limit_error"),
        (OPENAI_CHAT, "rate_limit_exceeded"),
        (OPENAI_RESPONSES, "rate_limit_exceeded"),
        (GEMINI_GENERATE, "RESOURCE_EXHAUSTED"),
    ],
)
def test_a_limit_has_the_type_by_which_a_providers_library_asks_again_and_a_cap_has_not(
    dialect: str, word: str
) -> None:
    assert word in json.loads(body(dialect, Refusal(status=429, ref="r", message="m", cause=LIMIT)))["error"].values()
    assert word.encode() not in body(dialect, Refusal(status=429, ref="r", message="m", cause=BUDGET))
