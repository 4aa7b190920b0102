"""Recorded sessions of the real Claude Code (`tests/golden/claude`), and what may go wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.base import COMMAND, OTHER, READ, WRITE
from moor.agents.claude.wire import RETRY, Asked, Translator, reply
from moor.domain.event import ERROR, MESSAGE, PERMISSION, QUESTION, STATUS, TOOL_CALL, TOOL_UPDATE, TURN_END, Event

GOLDEN = Path(__file__).parents[3] / "golden" / "claude"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/events.jsonl"))


def recorded(case: str) -> list[dict[str, Any]]:
    lines = (GOLDEN / case / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def played(case: str) -> list[Event]:
    wire = Translator()
    wire.begin()
    if case == "interrupted":
        wire.cancelled()
    return [event for raw in recorded(case) for event in wire.feed(raw)]


def spoken(events: list[Event]) -> str:
    return "".join(event.text for event in events if event.kind == MESSAGE and not event.data.get("subagent"))


def ask(tool: str, given: dict[str, Any], subtype: str = "hook_callback", call: str = "t1") -> dict[str, Any]:
    inner = {"tool_name": tool, "tool_input": given, "tool_use_id": call, "cwd": "/shop"}
    plain = {"tool_name": tool, "input": given, "tool_use_id": call}
    request = {"subtype": subtype, **({"input": inner} if subtype == "hook_callback" else plain)}
    return {"type": "control_request", "request_id": f"{subtype}-{call}", "request": request}


@pytest.mark.feature("F12.13")
@pytest.mark.parametrize("case", CASES)
def test_a_recorded_turn_ends_once_and_every_call_begins_and_ends_once(case: str) -> None:
    events = played(case)
    assert [event.kind for event in events].count(TURN_END) == 1
    assert events[-1].kind == TURN_END
    begun = [event.id for event in events if event.kind == TOOL_CALL]
    ended = [event.id for event in events if event.kind == TOOL_UPDATE]
    assert sorted(begun) == sorted(ended) == sorted(set(begun))
    assert all(event.agent_session for event in events)


def test_text_that_comes_in_pieces_and_whole_is_told_once() -> None:
    assert spoken(played("hello")) == "Hello from the simulated model."
    assert played("hello")[-1].text == "Hello from the simulated model."
    assert spoken(played("edit")).count("I look at the test first.") == 1


def test_an_edit_is_asked_for_with_what_it_touches() -> None:
    events = played("edit")
    asked = [event for event in events if event.kind == PERMISSION]
    assert [event.data["access"] for event in asked] == [READ, READ, COMMAND, WRITE, COMMAND]
    assert asked[3].paths == ("/shop/pricing.py",)
    assert asked[2].data["command"] == "python3 -B -m unittest -q"
    assert asked[2].data["cwd"] == "/shop"
    assert [event.status for event in events if event.kind == TOOL_UPDATE] == [
        *("completed", "completed", "failed", "completed", "completed")
    ]


def test_a_question_needs_a_person_and_the_hook_before_it_does_not() -> None:
    events = played("question")
    assert [event.title for event in events if event.kind == QUESTION] == ["Which colour shall the door have?"]
    assert not [event for event in events if event.kind == PERMISSION]


def test_a_sub_agents_tools_are_asked_for_and_marked() -> None:
    events = played("subagent")
    asked = [event for event in events if event.kind == PERMISSION]
    assert asked
    assert all(event.data.get("subagent") for event in asked)
    assert "Write" in [event.name for event in events if event.kind == TOOL_CALL and event.data.get("subagent")]
    assert events[-1].status == "end_turn"


def test_a_denied_tool_is_a_failed_call_and_the_turn_goes_on() -> None:
    events = played("tools-denied")
    assert {event.status for event in events if event.kind == TOOL_UPDATE} == {"failed"}
    assert events[-1].status == "end_turn"


@pytest.mark.parametrize("case", ["error", "refusal"])
def test_what_is_called_success_with_an_error_is_an_error(case: str) -> None:
    events = played(case)
    assert recorded(case)[-1]["subtype"] == "success"
    assert [event.kind for event in events[-2:]] == [ERROR, TURN_END]
    assert "API Error" in events[-2].text
    assert (events[-1].status, spoken(events)) == ("error", spoken(events).replace("API Error", ""))


def test_an_interrupted_turn_is_cancelled_and_else_it_is_an_error() -> None:
    assert (played("interrupted")[-1].status, len([e for e in played("interrupted") if e.kind == ERROR])) == (
        "cancelled",
        0,
    )
    wire = Translator()
    assert [event.kind for event in wire.feed(recorded("interrupted")[-1])] == [ERROR, TURN_END]


def test_what_the_hook_allowed_is_not_asked_a_second_time() -> None:
    wire = Translator()
    (event,) = wire.feed(ask("Write", {"file_path": "/shop/.git/x"}))
    wire.answered(wire.asked.pop(event.id), allow=True)
    assert wire.feed(ask("Write", {"file_path": "/shop/.git/x"}, "can_use_tool")) == []
    (again,) = wire.feed(ask("Write", {"file_path": "/shop/y"}, "can_use_tool", call="t2"))
    assert again.kind == PERMISSION


def test_a_tool_that_is_not_known_is_not_taken_for_harmless() -> None:
    wire = Translator()
    (event,) = wire.feed(ask("mcp__evil__wipe", {"x": 1}))
    assert event.data["access"] == OTHER
    assert wire.feed(ask("Task", {"prompt": "p"}, call="t2")) == []


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/own/projects/-shop/s1/tool-results/x.txt", False),
        ("/own/projects/-shop/s2/tool-results/x.txt", True),
        ("/own/projects/-shop/s1/tool-results/../../../../etc/passwd", True),
        ("/shop/projects/-shop/s1/tool-results/x.txt", True),
        ("/own/.claude.json", True),
    ],
)
def test_a_long_output_of_its_own_is_read_unasked_and_nothing_else(path: str, asks: bool) -> None:
    wire = Translator("/own")
    events = wire.feed({**ask("Read", {"file_path": path}), "session_id": "s1"})
    assert [event.kind for event in events] == ([PERMISSION] if asks else [])


def test_a_question_that_is_taken_back_waits_no_more() -> None:
    wire = Translator()
    (event,) = wire.feed(ask("Bash", {"command": "ls"}))
    wire.feed({"type": "control_cancel_request", "request_id": event.id})
    assert wire.asked == {}


def test_answers_have_the_form_of_their_question() -> None:
    hook = Asked("1", "hook", "Bash", {"command": "ls"}, "t")
    tool = Asked("2", "tool", "Bash", {"command": "ls"}, "t")
    denied = reply(hook, allow=False, note="no")["response"]["response"]["hookSpecificOutput"]
    assert (denied["permissionDecision"], denied["permissionDecisionReason"]) == ("deny", "no")
    assert reply(tool, allow=True, note="")["response"]["response"]["updatedInput"] == {"command": "ls"}
    assert reply(tool, allow=False, note="no")["response"]["response"]["message"] == "no"


def test_a_wait_says_until_when() -> None:
    raw = {"type": "system", "subtype": "api_retry", "attempt": 2, "retry_delay_ms": 500, "error": "overloaded"}
    (event,) = Translator().feed(raw, now_s=10.0)
    assert (event.kind, event.text, event.data["next"], event.title) == (STATUS, RETRY, 10_500, "overloaded")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["system", "assistant", "user", "stream_event", "control_request", "result"]),
    st.dictionaries(st.sampled_from(["message", "event", "request", "subtype", "content", "errors"]), values),
)
def test_a_form_that_is_not_known_breaks_nothing(kind: str, fields: dict[str, Any]) -> None:
    Translator().feed({"type": kind, **fields})
