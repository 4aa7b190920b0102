"""Rules about single refusals: what each takes out, moves or splits, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import Model
from moor.workspace.classify import CLAUDE, GPT
from tests.unit.gateway.test_filters import repaired

OSS = Model(id="databricks-gpt-oss-120b", family="gpt-oss", dialects=DIALECTS)
KIMI = Model(id="databricks-kimi-k2-7-code", family="kimi", dialects=DIALECTS)
MARK = {"type": "ephemeral"}
THINK = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
BASH = {"name": "bash", "input_schema": {"type": "object"}}


def claude(model_id: str = "databricks-claude-sonnet-4-6") -> Model:
    """A Claude model."""
    return Model(id=model_id, family=CLAUDE, dialects=DIALECTS)


def after(body: Any, dialect: str = ANTHROPIC_MESSAGES, model: Model | None = None) -> Any:
    """The body after all rules."""
    return json.loads(repaired(body, dialect, model or claude())[0])


def call(call_id: str) -> dict[str, Any]:
    """A chat tool call."""
    return {"id": call_id, "type": "function", "function": {"name": "bash", "arguments": "{}"}}


@st.composite
def groups(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A conversation in which each call is answered, in any order."""
    messages: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(0, 4))):
        ids = [f"c{turn}.{number}" for number in range(draw(st.integers(0, 3)))]
        calls = {"tool_calls": [call(call_id) for call_id in ids]} if ids else {}
        messages.append({"role": "user", "content": f"go {turn}"})
        messages.append({"role": "assistant", "content": f"said {turn}", "reasoning_content": "r", **calls})
        messages += [
            {"role": "tool", "tool_call_id": call_id, "content": f"of {call_id}"}
            for call_id in draw(st.permutations(ids))
        ]
    return messages


@given(messages=groups(), more=groups())
def test_parallel_calls_become_pairs_of_a_call_and_its_result(
    messages: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    split = after({"messages": messages}, OPENAI_CHAT, OSS)["messages"]
    for place, message in enumerate(split):
        calls = message.get("tool_calls", [])
        assert len(calls) < 2
        if calls:
            assert split[place + 1]["tool_call_id"] == calls[0]["id"]
    for role in ("user", "tool", "assistant"):
        said = [str(one["content"]) for one in messages if one["role"] == role]
        assert sorted(one["content"] for one in split if one["role"] == role and one["content"]) == sorted(said)
    longer = after({"messages": messages + more}, OPENAI_CHAT, OSS)["messages"]
    assert longer[: len(split)] == split


def test_a_thought_goes_back_only_to_models_that_answered_it_in_that_form() -> None:
    messages = [{"role": "assistant", "content": "a", "reasoning_content": "hm"}, {"role": "user", "content": "b"}]
    body = json.dumps({"messages": messages}).encode()
    assert repaired(body, OPENAI_CHAT, KIMI)[0] == body
    for model in (claude(), OSS):
        assert after(body, OPENAI_CHAT, model)["messages"] == [{"role": "assistant", "content": "a"}, messages[1]]


def test_other_models_keep_their_parallel_calls() -> None:
    messages = [
        {"role": "assistant", "content": "a", "tool_calls": [call("1"), call("2")]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "tool", "tool_call_id": "2", "content": "y"},
    ]
    body = json.dumps({"messages": messages}).encode()
    assert repaired(body, OPENAI_CHAT, KIMI)[0] == body


@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES])
@pytest.mark.parametrize(
    ("model_id", "family", "kept"),
    [
        ("system.ai.claude-opus-5", CLAUDE, False),
        ("claude-opus-5", CLAUDE, False),
        ("system.ai.gpt-5-6-sol", GPT, False),
        ("databricks-claude-opus-4-8", CLAUDE, True),
        ("system.ai.claude-opus-5-5", CLAUDE, True),
        ("system.ai.gpt-5-6-luna", GPT, True),
    ],
)
def test_temperature_goes_for_the_models_that_refuse_it(dialect: str, model_id: str, family: str, kept: bool) -> None:
    model = Model(id=model_id, family=family, dialects=DIALECTS)
    assert after({"temperature": 0, "top_p": 1}, dialect, model) == {
        **({"temperature": 0} if kept else {}),
        "top_p": 1,
    }


def test_effort_goes_for_claude_on_chat_only() -> None:
    body = {"reasoning_effort": "high"}
    assert after(body, OPENAI_CHAT) == {}
    assert after(body, OPENAI_CHAT, KIMI) == body
    assert after(body, ANTHROPIC_MESSAGES) == body


def test_a_mark_of_a_chat_message_moves_to_its_last_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    messages = [
        {"role": "system", "content": "Be kind.", "cache_control": MARK},
        {"role": "user", "content": parts, "cache_control": MARK},
        {"role": "user", "content": [*parts, image], "cache_control": MARK},
        {"role": "user", "content": [{**parts[0], "cache_control": MARK}], "cache_control": {"type": "other"}},
        {"role": "assistant", "content": None, "tool_calls": [{**call("1"), "cache_control": MARK}], "name": "n"},
        {"role": "tool", "tool_call_id": "1", "content": "x", "cache_control": MARK},
    ]
    moved = after({"messages": messages}, OPENAI_CHAT)["messages"]
    assert moved == [
        {"role": "system", "content": [{"type": "text", "text": "Be kind.", "cache_control": MARK}]},
        {"role": "user", "content": [parts[0], {**parts[1], "cache_control": MARK}]},
        {"role": "user", "content": [*parts, image]},
        {"role": "user", "content": [{**parts[0], "cache_control": MARK}]},
        {"role": "assistant", "content": None, "tool_calls": [call("1")], "name": "n"},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ]
    assert after({"messages": messages}, OPENAI_CHAT, KIMI)["messages"] == messages


@pytest.mark.parametrize("said", ["go", "go " * 10_000])
def test_marks_that_are_right_keep_the_body_byte_for_byte(said: str) -> None:
    content = [{"type": "text", "text": "a", "cache_control": MARK}]
    chat = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    assert repaired(chat, OPENAI_CHAT, claude())[0] == chat
    messages = [
        {"role": "user", "content": said},
        {"role": "user", "content": content},
        {"role": "assistant", "content": [THINK, *content]},
    ]
    body = json.dumps({"system": content, "tools": [{**BASH, "cache_control": MARK}], "messages": messages}).encode()
    assert repaired(body)[0] == body


@pytest.mark.parametrize("said", ["go", "go " * 10_000])
def test_only_the_keys_that_are_known_to_be_refused_go(said: str) -> None:
    scoped = {"type": "ephemeral", "scope": "global"}
    kept = {"type": "ephemeral"}
    text = {"type": "text", "text": "a"}
    body = {
        "context_management": {"edits": []},
        "brand_new": 1,
        "system": [{**text, "cache_control": scoped}],
        "tools": [{**BASH, "defer_loading": True, "cache_control": scoped}, {**BASH, "name": "b", "strict": True}],
        "messages": [
            {"role": "user", "content": said},
            {"role": "user", "content": [{**text, "cache_control": scoped}, {**text, "cache_control": kept}]},
            {"role": "assistant", "content": [{**THINK, "cache_control": kept}, text]},
        ],
    }
    assert after(body) == {
        "brand_new": 1,
        "system": [{**text, "cache_control": kept}],
        "tools": [{**BASH, "cache_control": kept}, {**BASH, "name": "b", "strict": True}],
        "messages": [
            {"role": "user", "content": said},
            {"role": "user", "content": [{**text, "cache_control": kept}, {**text, "cache_control": kept}]},
            {"role": "assistant", "content": [THINK, text]},
        ],
    }
    assert repaired(body)[1] == ["unknown-body-keys"]


def test_a_parameter_of_a_tool_may_be_named_like_a_key_that_goes() -> None:
    schema = {"type": "object", "properties": {"defer_loading": {"type": "string"}, "scope": {"type": "string"}}}
    body = json.dumps({"tools": [{"name": "t", "input_schema": schema}], "messages": []}).encode()
    assert repaired(body)[0] == body


@pytest.mark.parametrize("kind", ["web_search_20250305", "web_fetch_20250910", "code_execution_20250522"])
def test_a_tool_that_the_provider_would_run_goes_where_others_are_left(kind: str) -> None:
    hosted = {"type": kind, "name": "hosted"}
    client = {"type": "bash_20250124", "name": "sh"}
    assert after({"tools": [hosted, BASH, client]})["tools"] == [BASH, client]


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [SEARCH]},
        {"tools": [SEARCH, BASH], "tool_choice": {"type": "tool", "name": "web_search"}},
        {"tools": [{"name": "web_search_20250305", "input_schema": {}}, BASH]},
    ],
)
def test_a_request_about_a_hosted_tool_alone_is_for_the_workspace_to_refuse(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    assert repaired(raw) == (raw, [])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_shapes_that_nobody_knows_pass_untouched(dialect: str) -> None:
    words = {
        "cache_control": 1,
        "defer_loading": 1,
        "scope": "thinking",
        "type": "web_search_1",
        "tool_calls": [1, 2],
    }
    for odd in (7, None, "x", [], [7], [[7]], [{"content": [7], "cache_control": 7, "role": 7}], [words, words]):
        body = {"messages": odd, "tools": odd, "system": odd, "tool_choice": odd, "temperature": odd}
        for model in (claude(), OSS, KIMI):
            done = after(body, dialect, model)
            assert set(done) <= set(body)
