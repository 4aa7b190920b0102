"""Rules of the wire as functions: what they change, and what they leave byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain import quirks
from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE, OPENAI_CHAT, STREAM
from moor.domain.models import Model
from moor.errors.gateway import FilterConflictError
from moor.gateway.filters import all_filters, check_conflicts
from moor.gateway.filters.base import Draft, Filter, run_filters
from moor.gateway.filters.schema_keys import clean_schema
from moor.wire.index import index_object
from moor.workspace.classify import CLAUDE, GEMINI

ALL_QUIRKS = frozenset(value for name, value in vars(quirks).items() if name.isupper())
MODEL = Model(id="m", family=CLAUDE, dialects=DIALECTS, max_output=64_000)


def repaired(
    body: Any, dialect: str = ANTHROPIC_MESSAGES, model: Model = MODEL, action: str = "generate"
) -> tuple[bytes, list[str]]:
    """The body after all rules that fit, and which of them fired."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    draft = Draft(index_object(raw), dialect, action, model, {})
    run_filters(tuple(item for item in all_filters() if item.fits(ALL_QUIRKS, dialect, "any", model)), draft)
    return draft.result().body, draft.rules


TEXTS = st.sampled_from(["", " ", "\n\t", "hello", ' "quoted" ', "\u00e4\U0001f600", "\\"])
TEXT_BLOCK = st.builds(lambda text: {"type": "text", "text": text}, TEXTS)
USE = st.builds(lambda n: {"type": "tool_use", "id": f"t{n}", "name": "bash", "input": {}}, st.integers(0, 4))
RESULT = st.builds(
    lambda n, content: {"type": "tool_result", "tool_use_id": f"t{n}", "content": content},
    st.integers(0, 4),
    TEXTS | st.lists(TEXT_BLOCK, max_size=2),
)
CONTENT = TEXTS | st.lists(TEXT_BLOCK | USE | RESULT, max_size=4)
MESSAGES = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content}, st.sampled_from(["user", "assistant"]), CONTENT
    ),
    max_size=8,
)


def blocks_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Content as blocks."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@given(messages=MESSAGES)
def test_after_the_rules_no_text_is_blank_and_every_call_has_its_result(messages: list[dict[str, Any]]) -> None:
    body, _ = repaired({"model": "m", "messages": messages})
    after = json.loads(body)["messages"]
    assert len(after) == len(messages)
    for place, message in enumerate(after):
        blocks = blocks_of(message)
        assert blocks
        assert all(block["text"].strip() for block in blocks if block["type"] == "text")
        calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
        following = blocks_of(after[place + 1]) if place + 1 < len(after) else []
        assert calls == {block["tool_use_id"] for block in following if block["type"] == "tool_result"}


@given(messages=MESSAGES)
def test_the_rules_find_nothing_more_to_do_in_what_they_repaired(messages: list[dict[str, Any]]) -> None:
    once, _ = repaired({"model": "m", "messages": messages})
    again, rules = repaired(once)
    assert (again, rules) == (once, [])


@given(messages=MESSAGES, more=MESSAGES)
def test_blank_texts_are_repaired_alike_whatever_follows(
    messages: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    blank_only = [item for item in all_filters() if item.name == "blank-text-blocks"]

    def run(found: list[dict[str, Any]]) -> list[Any]:
        draft = Draft(
            index_object(json.dumps({"messages": found}).encode()), ANTHROPIC_MESSAGES, "generate", MODEL, {}
        )
        run_filters(tuple(blank_only), draft)
        after: list[Any] = json.loads(draft.result().body)["messages"]
        return after

    assert run(messages + more)[: len(messages)] == run(messages)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_body_without_anything_to_repair_is_the_very_same_object(dialect: str) -> None:
    raw = b'{ "model":"m" , "max_tokens": 10, "contents":[], "messages":[{"role":"user","content":"go"}] }'
    draft = Draft(index_object(raw), dialect, "generate", MODEL, {})
    run_filters(tuple(item for item in all_filters() if item.fits(ALL_QUIRKS, dialect, "any", MODEL)), draft)
    assert draft.result().body is raw


def test_a_cache_mark_of_a_blank_block_moves_to_the_block_before_it() -> None:
    mark = {"type": "ephemeral"}
    content = [{"type": "text", "text": "go"}, {"type": "text", "text": "", "cache_control": mark}]
    body, rules = repaired({"messages": [{"role": "user", "content": content}]})
    assert json.loads(body)["messages"][0]["content"] == [{"type": "text", "text": "go", "cache_control": mark}]
    assert rules == ["blank-text-blocks"]


def test_system_texts_are_repaired_too() -> None:
    assert json.loads(repaired({"messages": [], "system": " "})[0]) == {"messages": []}
    system = [{"type": "text", "text": ""}, {"type": "text", "text": "be kind"}]
    assert json.loads(repaired({"messages": [], "system": system})[0])["system"] == system[1:]


def test_a_word_of_a_rule_inside_a_prompt_changes_nothing() -> None:
    text = 'set "eager_input_streaming" and "$schema" and "strict": true, "text":"" please'
    raw = json.dumps({"messages": [{"role": "user", "content": text}], "tools": []}).encode()
    assert repaired(raw)[0] == raw
    chat = Model(id="g", family=GEMINI, dialects=DIALECTS)
    assert repaired(raw, OPENAI_CHAT, chat)[0] == raw


def test_shapes_nobody_knows_pass_to_the_upstream_untouched() -> None:
    shapes: list[Any] = [7, None, {}, [[]], [7], [{"content": 7}], [{"content": [7]}], [{"content": [{"text": 7}]}]]
    for messages in shapes:
        raw = json.dumps({"messages": messages, "tools": messages}).encode()
        assert repaired(raw)[0] == raw or messages == [{"content": [{"text": 7}]}]
        repaired(raw, OPENAI_CHAT)
        repaired(raw, GEMINI_GENERATE, Model(id="g", family=GEMINI, dialects=DIALECTS))


def test_a_name_of_a_tools_own_is_no_word_of_json_schema() -> None:
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, "definitions": {"type": "string", "$comment": "c"}},
        "additionalProperties": False,
        "enum": [{"$ref": "data"}],
    }
    assert clean_schema(schema) == {
        "type": "object",
        "properties": {"$schema": {"type": "string"}, "definitions": {"type": "string"}},
        "enum": [{"$ref": "data"}],
    }


def test_references_are_written_out_and_a_recursion_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "far": {"$ref": "http://x"}}}
    cleaned = clean_schema({"$defs": {"Node": node}, "$ref": "#/$defs/Node", "description": "a list"})
    inner = cleaned["properties"]["next"]
    assert cleaned["description"] == "a list"
    assert inner == {}
    assert cleaned["properties"]["far"] == {}


@pytest.mark.parametrize(
    ("dialect", "body", "expected"),
    [
        (ANTHROPIC_MESSAGES, {"max_tokens": 10**30}, {"max_tokens": 64_000}),
        (ANTHROPIC_MESSAGES, {"max_tokens": 64_000}, {"max_tokens": 64_000}),
        (OPENAI_CHAT, {"max_completion_tokens": 70_000}, {"max_completion_tokens": 64_000}),
        (GEMINI_GENERATE, {"generationConfig": {"maxOutputTokens": 1}}, {"generationConfig": {"maxOutputTokens": 1}}),
        (
            ANTHROPIC_MESSAGES,
            {"max_tokens": 90_000, "thinking": {"type": "enabled", "budget_tokens": 80_000}},
            {"max_tokens": 64_000, "thinking": {"type": "enabled", "budget_tokens": 32_000}},
        ),
    ],
)
def test_output_limits_are_lowered_to_the_models_own(dialect: str, body: Any, expected: Any) -> None:
    assert json.loads(repaired(body, dialect)[0]) == expected


def test_usage_is_asked_for_in_streams_only_and_other_options_stay() -> None:
    engine = Model(id="m", family="other", dialects=DIALECTS)
    assert repaired({"stream_options": {"a": 1}}, OPENAI_CHAT, engine)[1] == []
    body, rules = repaired({"stream_options": {"a": 1}}, OPENAI_CHAT, engine, STREAM)
    assert json.loads(body)["stream_options"] == {"a": 1, "include_usage": True}
    assert rules == ["include-usage"]


def rule(name: str, field: str, **more: Any) -> Filter:
    """A rule that does nothing."""
    given_fields = {"priority": 1, "dialects": (OPENAI_CHAT,), "quirk": "q", "why": "", "since": "", **more}
    return Filter(name=name, fields=(field,), apply=lambda _: False, **given_fields)


def test_two_rules_that_touch_one_field_are_an_error() -> None:
    with pytest.raises(FilterConflictError, match="a and b both touch x"):
        check_conflicts([rule("a", "x"), rule("b", "x")])
    check_conflicts([rule("a", "x"), rule("b", "y")])
    check_conflicts([rule("a", "x"), rule("b", "x", dialects=(GEMINI_GENERATE,))])
    check_conflicts([rule("a", "x", families=("f",)), rule("b", "x", unless=(("q", "f"),))])
    check_conflicts(list(all_filters()))


def test_every_rule_says_why_and_since_when() -> None:
    for item in all_filters():
        assert item.why
        assert item.since
        assert item.fields
        assert item.quirk in ALL_QUIRKS


CHAT_MESSAGES = st.lists(
    st.builds(lambda text: {"role": "user", "content": text}, TEXTS)
    | st.builds(
        lambda text, ids: {
            "role": "assistant",
            "content": text,
            **({"tool_calls": [{"id": f"c{n}", "type": "function"} for n in sorted(ids)]} if ids else {}),
        },
        TEXTS | st.none(),
        st.sets(st.integers(0, 3), max_size=2),
    )
    | st.builds(lambda n, text: {"role": "tool", "tool_call_id": f"c{n}", "content": text}, st.integers(0, 3), TEXTS),
    max_size=8,
)


@given(messages=CHAT_MESSAGES)
def test_after_the_rules_each_chat_call_is_answered_right_behind_it(messages: list[dict[str, Any]]) -> None:
    body, _ = repaired({"model": "m", "messages": messages}, OPENAI_CHAT)
    waiting: set[str] = set()
    for message in json.loads(body)["messages"]:
        content = message.get("content")
        assert content is None or content.strip()
        assert content is not None or message.get("tool_calls")
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
            continue
        assert not waiting
        waiting = {call["id"] for call in message.get("tool_calls", [])}
    assert not waiting
    assert repaired(body, OPENAI_CHAT)[1] == []
