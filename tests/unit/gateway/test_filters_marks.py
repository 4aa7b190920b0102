"""Cache marks without their life, and answers that were given twice (Messages dialect)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.models import Model
from moor.gateway.filters.base import Draft, run_filters
from moor.gateway.filters.cache_ttl import FILTER as CACHE_TTL
from moor.gateway.filters.orphan_blocks import FILTER as ORPHANS
from moor.wire.index import index_object

MODEL = Model(id="m", family="claude", dialects=(ANTHROPIC_MESSAGES,))
HOUR = {"type": "ephemeral", "ttl": "1h"}
PLAIN = {"type": "ephemeral"}


def repaired(body: Any, rule: Any) -> tuple[Any, list[str], bytes, bytes]:
    raw = json.dumps(body).encode()
    draft = Draft(index_object(raw), ANTHROPIC_MESSAGES, "generate", MODEL, {})
    run_filters((rule,), draft)
    after = draft.result().body
    return json.loads(after), draft.rules, raw, after


def body(mark: dict[str, str], top: dict[str, str] | None = None) -> dict[str, Any]:
    inner = {"type": "text", "text": "a", "cache_control": mark}
    call = {"type": "tool_use", "id": "t", "name": "x", "input": {"cache_control": HOUR, "ttl": "1h"}}
    return {
        "model": "m",
        "system": [{"type": "text", "text": "s", "cache_control": mark}, {"type": "text", "text": "ttl"}],
        "messages": [
            {"role": "user", "content": 'the "ttl" of it'},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [inner]}, inner]},
        ],
        "tools": [{"name": "x", "input_schema": {"properties": {"ttl": {}}}, "cache_control": mark}],
        **({"cache_control": top} if top else {}),
    }


@pytest.mark.feature("F3.8", "F3.18")
def test_marks_lose_their_life_and_nothing_else_changes() -> None:
    after, rules, _, _ = repaired(body(HOUR, HOUR), CACHE_TTL)
    assert after == body(PLAIN, PLAIN)
    assert rules == ["cache-ttl"]


def test_words_and_arguments_called_ttl_are_no_marks() -> None:
    _, rules, before, after = repaired(body(PLAIN), CACHE_TTL)
    assert (after, rules) == (before, [])


@pytest.mark.parametrize(
    "odd", [{"messages": "ttl"}, {"messages": [1, {"content": [2]}], "x": {"ttl": 1}}, {"system": {}}]
)
def test_what_has_another_form_is_left_to_the_upstream(odd: dict[str, Any]) -> None:
    _, rules, before, after = repaired({"model": "m", **odd}, CACHE_TTL)
    assert (after, rules) == (before, [])


@pytest.mark.feature("F3.8")
def test_a_second_result_or_call_of_one_id_goes_and_the_first_stays() -> None:
    def use(name: str, at: int) -> dict[str, Any]:
        return {"type": "tool_use", "id": name, "name": "x", "input": {"at": at}}

    def result(name: str, text: str) -> dict[str, Any]:
        return {"type": "tool_result", "tool_use_id": name, "content": text}

    given = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [use("a", 1), use("b", 1), use("a", 2)]},
        {
            "role": "user",
            "content": [result("a", "first"), result("b", "b"), result("a", "second"), result("c", "lone")],
        },
    ]
    wanted = [
        given[0],
        {"role": "assistant", "content": [use("a", 1), use("b", 1)]},
        {"role": "user", "content": [result("a", "first"), result("b", "b")]},
    ]
    after, rules, _, _ = repaired({"model": "m", "messages": given}, ORPHANS)
    assert after["messages"] == wanted
    assert rules == ["orphan-tool-blocks"]
    again, rules, _, _ = repaired({"model": "m", "messages": wanted}, ORPHANS)
    assert (again["messages"], rules) == (wanted, [])
