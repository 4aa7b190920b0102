"""Messages of the Agent Client Protocol to events: forms that agents vary in, and forms that nobody knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.acp import AcpTraits
from moor.agents.acp.permission import access, command, folder, outcome, paths
from moor.agents.acp.wire import PLAN, Translator, sentence
from moor.agents.base import ACCESS, COMMAND, OTHER, READ, WRITE
from moor.domain.event import ERROR, MESSAGE, PERMISSION, STATUS, TOOL_CALL, TOOL_UPDATE, TURN_END, Event

Raw = dict[str, Any]


def wire(**traits: Any) -> Translator:
    made = Translator("s", AcpTraits(agent="someone", **traits))
    made.begin()
    return made


def update(what: str, /, **fields: Any) -> Raw:
    return {"sessionId": "s", "update": {"sessionUpdate": what, **fields}}


def say(text: str) -> Raw:
    return update("agent_message_chunk", content={"type": "text", "text": text})


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.status) for event in events]


@pytest.mark.feature("F12.13")
def test_a_call_is_told_once_for_each_of_its_states_and_keeps_what_was_said_of_it() -> None:
    made = wire()
    events = [
        *made.update(update("tool_call", toolCallId="a", title="read x", kind="read", rawInput={})),
        *made.update(update("tool_call_update", toolCallId="a", rawInput={"path": "/x"}, title=None)),
        *made.update(update("tool_call_update", toolCallId="a", status="in_progress")),
        *made.update(update("tool_call_update", toolCallId="a", status="in_progress")),
        *made.update(update("tool_call_update", toolCallId="a", status="completed", rawOutput={"output": "y"})),
        *made.update(update("tool_call_update", toolCallId="a", status="failed")),
    ]
    assert told(events) == [(TOOL_CALL, "pending"), (TOOL_UPDATE, "in_progress"), (TOOL_UPDATE, "completed")]
    last = events[-1]
    assert (last.title, last.paths, last.data) == (
        "read x",
        ("/x",),
        {"input": {"path": "/x"}, "output": {"output": "y"}},
    )


def test_an_update_without_a_start_is_a_start() -> None:
    made = wire()
    events = made.update(update("tool_call_update", toolCallId="a", status="completed"))
    assert told(events) == [(TOOL_CALL, "completed")]


@pytest.mark.parametrize(("reason", "state"), [("end_turn", "completed"), ("cancelled", "failed")])
def test_calls_that_never_end_end_with_the_turn(reason: str, state: str) -> None:
    made = wire()
    made.update(update("tool_call", toolCallId="a"))
    events = made.end({"stopReason": reason}, None)
    assert told(events) == [(TOOL_UPDATE, state), (TURN_END, reason)]
    assert events[0].data == {"unconfirmed": True}


def test_a_permission_with_an_id_of_its_own_is_no_call() -> None:
    made = wire(permission_is_call=False)
    asked = {"sessionId": "s", "toolCall": {"toolCallId": "p1", "title": "write", "kind": "edit"}}
    assert [event.kind for event in made.permission("1", asked)] == [PERMISSION]
    assert told(made.end({}, None)) == [(TURN_END, "end_turn")]


def test_the_answer_is_what_was_said_after_the_last_call() -> None:
    made = wire()
    for one in (say("I look."), update("tool_call", toolCallId="a", status="completed"), say("Do"), say("ne.")):
        made.update(one)
    assert made.end({"stopReason": "end_turn"}, None)[-1].text == "Done."
    made.begin()
    made.update(say("Only this."))
    made.update(update("tool_call", toolCallId="a", status="completed"))
    assert made.end({}, None)[-1].text == "Only this."


@pytest.mark.parametrize("reason", ["refusal", "max_tokens", "max_turn_requests"])
def test_an_end_that_is_no_success_is_an_error(reason: str) -> None:
    assert told(wire().end({"stopReason": reason}, None)) == [(ERROR, ""), (TURN_END, reason)]


def test_an_error_that_is_told_as_an_answer_and_an_answer_that_is_none_are_errors() -> None:
    made = wire(failed_text="API call failed")
    made.update(say("API call failed: no"))
    assert told(made.end({}, None)) == [(ERROR, ""), (TURN_END, "error")]
    assert told(wire(empty_is_failure=True).end({}, None))[0] == (ERROR, "")
    assert told(wire().end({}, None)) == [(TURN_END, "end_turn")]


def test_a_list_of_steps_is_a_status_and_another_session_a_sub_agent() -> None:
    plan = wire().update(update("plan", entries=[{"content": "x"}]))[0]
    assert (plan.kind, plan.text, plan.data) == (STATUS, PLAN, {"entries": [{"content": "x"}]})
    other = wire().update({**say("hi"), "sessionId": "t"})[0]
    assert (other.kind, other.agent_session, other.data) == (MESSAGE, "t", {"subagent": True})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": 1, "message": "plain"}, "plain"),
        ({"code": 1, "message": "Internal error", "data": {"details": "the cause"}}, "the cause"),
        ({"code": 1, "message": "Internal error", "data": "words"}, "words"),
        ({"message": 'x {"error":{"message":"{\\"error\\":{\\"message\\":\\"deep\\"}}"}} y'}, "deep"),
        ({"message": "{not JSON}"}, "{not JSON}"),
        ({"message": '{"other": 1}'}, '{"other": 1}'),
        ({}, "the agent reports an error without words"),
    ],
)
def test_an_error_is_told_in_its_innermost_words(error: Raw, words: str) -> None:
    assert sentence(error) == words


@pytest.mark.parametrize(
    ("call", "kind", "files", "line", "where"),
    [
        ({"kind": "read", "rawInput": {"path": "/a"}}, READ, ("/a",), "", ""),
        ({"kind": "edit", "rawInput": {"arguments": {"file_path": "/a"}}}, WRITE, ("/a",), "", ""),
        ({"kind": "move", "rawInput": {"source": "/a", "destination": "/b"}}, WRITE, ("/a", "/b"), "", ""),
        ({"kind": "execute", "rawInput": {"command": "ls", "cwd": "/w"}}, COMMAND, (), "ls", "/w"),
        ({"kind": "execute", "rawInput": {"cmd": ["ls", "a b"]}}, COMMAND, (), "ls 'a b'", ""),
        ({"kind": "execute", "rawInput": {"command": ["ls", 7]}}, COMMAND, (), "", ""),
        ({"kind": "switch_mode"}, OTHER, (), "", ""),
        ({}, OTHER, (), "", ""),
    ],
)
def test_what_a_call_would_do(call: Raw, kind: str, files: tuple[str, ...], line: str, where: str) -> None:
    assert (access(call), paths(call), command(call), folder(call)) == (kind, files, line, where)


def test_without_an_option_to_allow_nothing_is_allowed() -> None:
    options = [{"optionId": "no", "kind": "reject_once"}, {"optionId": 3, "kind": "allow_once"}, 7]
    assert outcome(options, allow=True) == {"outcome": {"outcome": "cancelled"}}
    assert outcome(options, allow=False) == {"outcome": {"outcome": "selected", "optionId": "no"}}
    assert outcome(None, allow=False) == {"outcome": {"outcome": "cancelled"}}


WORDS = st.sampled_from(
    ["update", "sessionUpdate", "tool_call", "tool_call_update", "toolCallId", "status", "content", "text", "type"]
    + [
        "diff",
        "path",
        "locations",
        "rawInput",
        "arguments",
        "kind",
        "edit",
        "toolCall",
        "completed",
        "stopReason",
        "a",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@given(messages=st.lists(st.dictionaries(WORDS, JSON, max_size=6), max_size=6))
def test_no_message_of_any_shape_breaks_it(messages: list[Raw]) -> None:
    made = wire(empty_is_failure=True)
    for message in messages:
        shaped = {"update": {"sessionUpdate": "tool_call", "toolCallId": "a", **message}}
        for event in [*made.update(message), *made.update(shaped), *made.permission("1", message)]:
            assert json.dumps(event.data)
            assert event.data.get("access", OTHER) in ACCESS
        made.question("2", message)
        made.denied("a")
    assert made.end(messages[0] if messages else {}, None)[-1].kind == TURN_END
