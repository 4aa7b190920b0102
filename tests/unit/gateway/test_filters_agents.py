"""Rules for what Claude Code, Codex and Gemini CLI send: what they keep, and what they undo on the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE, OPENAI_RESPONSES, STREAM
from moor.domain.models import Model
from moor.gateway.filters import all_filters
from moor.gateway.filters.base import Draft, run_filters
from moor.gateway.filters.responses_tools import GroupNames, flat_name
from moor.wire.index import index_object

MODEL = Model(id="m", family="claude", dialects=DIALECTS)
FUNCTION = {"type": "function", "name": "spawn_agent", "parameters": {"type": "object"}}


def run(name: str, body: Any, dialect: str, action: str = STREAM, headers: dict[bytes, bytes] | None = None) -> Draft:
    """A draft after one rule."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    draft = Draft(index_object(raw), dialect, action, MODEL, headers or {})
    run_filters(tuple(item for item in all_filters() if item.name == name), draft)
    return draft


def changed(name: str, body: Any, dialect: str, action: str = STREAM) -> Any:
    """The body after one rule."""
    return json.loads(run(name, body, dialect, action).result().body)


TURN = st.sampled_from(
    [
        {"role": "user", "content": "ask"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]},
        {"role": "system", "content": "remember"},
        {"role": "system", "content": [{"type": "text", "text": "remember"}]},
        {"role": "system", "content": " "},
    ]
)


def folded(messages: list[Any]) -> list[Any]:
    """Messages after the rule about system turns."""
    found: list[Any] = changed("system-turns", {"messages": messages}, ANTHROPIC_MESSAGES)["messages"]
    return found


@given(messages=st.lists(TURN, max_size=8))
def test_what_system_turns_say_stays_and_no_such_turn_is_left(messages: list[Any]) -> None:
    after = folded(messages)
    assert all(message["role"] != "system" for message in after)
    said = sum(1 for message in messages if message["role"] == "system" and message["content"] != " ")
    assert json.dumps(after).count("<system-reminder>") == said
    others = [message for message in messages if message["role"] != "system"]
    assert [message["role"] for message in others if message["role"] == "assistant"] == [
        message["role"] for message in after if message["role"] == "assistant"
    ]


@given(messages=st.lists(TURN, max_size=6), more=st.lists(TURN, max_size=4))
def test_a_conversation_that_grows_by_an_answer_keeps_its_beginning(messages: list[Any], more: list[Any]) -> None:
    grown = [*messages, {"role": "assistant", "content": "an answer"}, *more]
    before = folded(messages)
    assert folded(grown)[: len(before)] == before


def test_a_reminder_between_a_call_and_its_result_stands_behind_the_result() -> None:
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    told = {"type": "text", "text": "and then"}
    after = folded([call, {"role": "system", "content": "r"}, {"role": "user", "content": [result, told]}])
    reminder = {"type": "text", "text": "<system-reminder>\nr\n</system-reminder>"}
    assert after == [call, {"role": "user", "content": [result, reminder, told]}]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}, "max_tokens": 64_000}, 4_096),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}, "max_tokens": 64_000}, 32_000),
        ({"thinking": {"type": "adaptive"}, "max_tokens": 8_000}, 4_000),
        ({"thinking": {"type": "adaptive"}, "max_tokens": 1_000}, None),
        ({"thinking": {"type": "disabled"}, "output_config": {"format": {}}, "max_tokens": 8_000}, "disabled"),
    ],
)
def test_an_effort_becomes_a_budget_that_leaves_room_for_the_answer(asked: Any, expected: Any) -> None:
    thinking = changed("adaptive-thinking", asked, ANTHROPIC_MESSAGES).get("thinking", {})
    assert thinking.get("budget_tokens", thinking.get("type")) == expected
    sent = {b"anthropic-beta": b"claude-code-20250219,effort-2025-11-24"}
    draft = run("output-config", asked, ANTHROPIC_MESSAGES, headers=dict(sent))
    assert "output_config" not in json.loads(draft.result().body)
    left = b"claude-code-20250219" if "output_config" in asked else sent[b"anthropic-beta"]
    assert draft.headers == {b"anthropic-beta": left}
    draft = run("output-config", asked, ANTHROPIC_MESSAGES, headers={b"anthropic-beta": b"effort-2025-11-24"})
    assert bool(draft.headers) == ("output_config" not in asked)


def test_functions_of_a_group_are_offered_alone_and_calls_get_their_group_back() -> None:
    group = {"type": "namespace", "name": "agents", "tools": [FUNCTION]}
    draft = run("responses-tools", {"tools": [group, {"type": "web_search"}], "input": "go"}, OPENAI_RESPONSES)
    assert json.loads(draft.result().body)["tools"] == [{**FUNCTION, "name": "agents__spawn_agent"}]
    call = {"type": "function_call", "name": "agents__spawn_agent", "call_id": "c", "arguments": "{}"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": call}
    end = {"type": "response.completed", "response": {"id": "r", "output": [call]}}
    other = b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta",  "delta":"x"}\n\n'
    stream = other + b"".join(
        b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in (done, end)
    )
    (stage,) = draft.stages
    back = stage.feed(stream)
    assert back.startswith(other)
    events = [json.loads(line[6:]) for line in back.decode().splitlines() if line.startswith("data: ")]
    theirs = {**call, "name": "spawn_agent", "namespace": "agents"}
    assert events[1] == {**done, "item": theirs}
    assert events[2]["response"]["output"] == [theirs]
    assert back.count(b"event: response.output_item.done\n") == 1
    assert stage.feed(other) is other
    again = run("responses-tools", {"tools": [group], "input": [theirs]}, OPENAI_RESPONSES)
    assert json.loads(again.result().body)["input"] == [call]


def test_a_group_goes_where_its_calls_could_not_be_named_back() -> None:
    group = {"type": "namespace", "name": "agents", "tools": [FUNCTION]}
    after = changed("responses-tools", {"tools": [group], "input": "go"}, OPENAI_RESPONSES, "generate")
    assert after == {"input": "go"}


def test_a_plain_function_keeps_its_name_before_one_of_a_group() -> None:
    plain = {"type": "function", "name": "agents__spawn_agent"}
    group = {"type": "namespace", "name": "agents", "tools": [FUNCTION, 7, {"type": "custom", "name": "x"}]}
    draft = run("responses-tools", {"tools": [group, plain], "input": "go"}, OPENAI_RESPONSES)
    assert json.loads(draft.result().body)["tools"] == [plain]
    assert draft.stages == []


def test_long_names_of_groups_are_cut_alike_and_stay_apart() -> None:
    first, second = flat_name("g" * 60, "read_file"), flat_name("g" * 60, "read_files")
    assert len(first) == len(second) == 64
    assert first != second
    assert first == flat_name("g" * 60, "read_file")


def test_events_of_several_data_lines_and_comments_pass_as_they_are() -> None:
    stage = GroupNames({"a__b": ("a", "b")})
    block = b': "a__b"\n\ndata: {"item":\ndata: {"name":"a__b"}}\n\n'
    assert stage.feed(block) is block


def test_only_repeated_responses_go_and_signatures_stay() -> None:
    call = {"functionCall": {"name": "read"}, "thoughtSignature": "s"}
    answer = {"functionResponse": {"name": "read", "response": {"output": "1"}}}
    second = {"functionResponse": {"name": "read", "response": {"output": "2"}}}
    body = {"contents": [{"role": "model", "parts": [call, call]}, {"role": "user", "parts": [answer, answer]}]}
    assert changed("repeated-responses", body, GEMINI_GENERATE) == body
    body["contents"][1]["parts"] = [answer, second, answer, {"text": "go on"}]
    after = changed("repeated-responses", body, GEMINI_GENERATE)
    assert after["contents"] == [body["contents"][0], {"role": "user", "parts": [answer, second, {"text": "go on"}]}]


def test_calls_without_any_answer_get_one_before_the_words() -> None:
    calls = [{"functionCall": {"id": "a", "name": "read"}}, {"functionCall": {"name": "list"}}]
    asked = {"role": "model", "parts": [{"text": "I look."}, *calls]}
    earlier = [
        {"role": "model", "parts": calls[:1]},
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "read", "response": {"output": "1"}}}]},
    ]
    body = {"contents": [*earlier, asked, {"role": "user", "parts": [{"text": "go on"}]}]}
    after = changed("unanswered-calls", body, GEMINI_GENERATE)["contents"]
    assert after[:3] == [*earlier, asked]
    told = {"error": "The call was not answered."}
    assert after[3]["parts"] == [
        {"functionResponse": {"id": "a", "name": "read", "response": told}},
        {"functionResponse": {"name": "list", "response": told}},
        {"text": "go on"},
    ]
    assert changed("unanswered-calls", {"contents": after}, GEMINI_GENERATE) == {"contents": after}


@pytest.mark.parametrize("contents", [7, [7], [{"parts": 7}], [{"parts": [{"functionResponse": 7}]}]])
def test_contents_of_a_shape_nobody_knows_pass(contents: Any) -> None:
    assert changed("repeated-responses", {"contents": contents}, GEMINI_GENERATE) == {"contents": contents}


def test_system_turns_of_a_long_conversation_are_found_too() -> None:
    long = {"role": "user", "content": "x" * 20_000}
    told = {"role": "system", "content": "r"}
    reminder = {"type": "text", "text": "<system-reminder>\nr\n</system-reminder>"}
    assert folded([long, told]) == [
        {"role": "user", "content": [{"type": "text", "text": long["content"]}, reminder]},
    ]
    assert folded([long]) == [long]
    assert folded([long, {"role": 7}, told]) == [long, {"role": 7}, told]


def test_the_first_call_of_a_turn_alone_gets_a_stand_in_for_its_signature() -> None:
    signed = {"functionCall": {"name": "read"}, "thoughtSignature": "s"}
    bare = {"functionCall": {"name": "read"}}
    turns = [
        {"role": "model", "parts": parts} for parts in ([{"text": "x"}, bare, bare], [signed, bare], [{"text": "y"}])
    ]
    after = changed("missing-signatures", {"contents": turns}, GEMINI_GENERATE)["contents"]
    stand_in = {**bare, "thoughtSignature": "skip_thought_signature_validator"}
    assert after == [{"role": "model", "parts": [{"text": "x"}, stand_in, bare]}, *turns[1:]]
    assert changed("missing-signatures", {"contents": turns[1:]}, GEMINI_GENERATE)["contents"] == turns[1:]


def test_how_thoughts_are_shown_is_left_to_the_model() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    after = changed("thinking-display", {"thinking": {**thinking, "display": "summarized"}}, ANTHROPIC_MESSAGES)
    assert after == {"thinking": thinking}
    other = {"tools": [{"name": "display"}], "thinking": thinking}
    assert changed("thinking-display", other, ANTHROPIC_MESSAGES) == other
