"""Recorded sessions of the real OpenCode (`tests/golden/opencode`), and what may go wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.base import COMMAND, WRITE
from moor.agents.opencode.wire import RETRY, Translator, is_idle
from moor.domain.event import ERROR, MESSAGE, PERMISSION, QUESTION, STATUS, TOOL_CALL, TOOL_UPDATE, TURN_END, Event

GOLDEN = Path(__file__).parents[3] / "golden" / "opencode"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/events.jsonl"))


def recorded(case: str) -> tuple[str, list[dict[str, Any]]]:
    root = (GOLDEN / case / "root.txt").read_text(encoding="utf-8").strip()
    lines = (GOLDEN / case / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return root, [json.loads(line) for line in lines]


def played(case: str) -> list[Event]:
    root, raws = recorded(case)
    wire = Translator(root)
    wire.begin()
    return [*(event for raw in raws for event in wire.feed(raw)), *wire.turn_end()]


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def spoken(events: list[Event]) -> str:
    return "".join(event.text for event in events if event.kind == MESSAGE and not event.data.get("subagent"))


@pytest.mark.feature("F12.13")
@pytest.mark.parametrize("case", CASES)
def test_a_recorded_turn_ends_once_and_its_end_is_seen(case: str) -> None:
    root, raws = recorded(case)
    events = played(case)
    assert kinds(events).count(TURN_END) == 1
    assert events[-1].kind == TURN_END
    assert any(is_idle(raw, root) for raw in raws)


@pytest.mark.parametrize("case", CASES)
def test_every_tool_call_begins_once_and_ends_once(case: str) -> None:
    calls = [event for event in played(case) if event.kind in (TOOL_CALL, TOOL_UPDATE)]
    for key in {(event.agent_session, event.id) for event in calls}:
        mine = [event for event in calls if (event.agent_session, event.id) == key]
        assert kinds(mine).count(TOOL_CALL) == 1
        assert mine[0].kind == TOOL_CALL
        assert [event.status for event in mine if event.status in ("completed", "failed")] == [mine[-1].status]


def test_the_answer_is_the_text_that_was_streamed() -> None:
    events = played("hello")
    assert spoken(events) == events[-1].text == "Hello from the simulated model."
    assert events[-1].status == "end_turn"


def test_the_prompt_is_not_told_as_an_answer() -> None:
    assert not any("sim:hello" in event.text for event in played("hello"))


def test_a_permission_names_the_command_that_is_meant() -> None:
    asked = [event for event in played("tools-denied") if event.kind == PERMISSION]
    assert [event.data["access"] for event in asked] == [COMMAND] * len(asked)
    assert any(event.data["command"].startswith("rm -rf ../") for event in asked)
    assert len({event.id for event in asked}) == len(asked)


def test_an_edit_names_its_file() -> None:
    asked = [event for event in played("edit") if event.kind == PERMISSION and event.data["access"] == WRITE]
    assert asked
    assert all(event.paths and event.paths[0].endswith(".py") for event in asked)


def test_a_question_comes_with_its_options() -> None:
    question = next(event for event in played("question") if event.kind == QUESTION)
    assert question.title == "Which colour shall the door have?"
    assert [option["label"] for option in question.data["questions"][0]["options"]] == ["red", "green", "blue"]


@pytest.mark.feature("F12.25")
def test_what_a_sub_agent_does_is_told_and_marked() -> None:
    events = played("subagent")
    inner = [event for event in events if event.data.get("subagent")]
    assert "".join(event.text for event in inner if event.kind == MESSAGE) == "Hello from the simulated model."
    assert spoken(events).startswith("(simulated) I hand this")
    assert kinds(events).count(TURN_END) == 1


def test_an_error_in_the_stream_is_an_error_and_its_half_answers_are_void() -> None:
    events = played("error")
    waits = [event for event in events if event.kind == STATUS and event.text == RETRY]
    assert [event.data["attempt"] for event in waits] == [1, 2, 3, 4, 5]
    assert waits[0].title == "The simulated provider is overloaded"
    error = next(event for event in events if event.kind == ERROR)
    assert error.text == "The simulated provider is overloaded"
    assert events[-1].status == "error"
    assert spoken(events).count("This answer") == 6
    assert events[-1].text.count("This answer") == 1


def test_a_refused_answer_is_an_error() -> None:
    assert [event.kind for event in played("refusal")][-2:] == [ERROR, TURN_END]


@given(st.sampled_from(CASES), st.data())
def test_events_that_come_twice_are_told_once(case: str, data: st.DataObject) -> None:
    root, raws = recorded(case)
    twice = [raw for raw in raws if raw["type"] != "message.part.delta" and not is_retry(raw)]
    repeated = data.draw(st.lists(st.sampled_from(twice), max_size=5)) if twice else []
    wire = Translator(root)
    wire.begin()
    first = [event for raw in raws for event in wire.feed(raw)]
    again = [event for raw in repeated for event in wire.feed(raw)]
    assert first
    assert again == []


@pytest.mark.parametrize(("case", "kind"), [("tools-denied", "permission.asked"), ("question", "question.asked")])
def test_a_request_that_is_read_again_after_a_gap_is_told_once(case: str, kind: str) -> None:
    root, raws = recorded(case)
    wire = Translator(root)
    asked = [raw for raw in raws if raw["type"] == kind]
    assert [len(wire.feed(raw)) for raw in asked] == [1] * len(asked)
    assert [wire.feed(raw) for raw in asked] == [[]] * len(asked)


@given(st.sampled_from(CASES), st.data())
def test_a_gap_in_the_stream_is_filled_from_the_messages(case: str, data: st.DataObject) -> None:
    """Whatever deltas are lost, the whole messages bring the text; nothing is told twice."""
    root, raws = recorded(case)
    deltas = [at for at, raw in enumerate(raws) if raw["type"] == "message.part.delta"]
    lost = set(data.draw(st.lists(st.sampled_from(deltas), unique=True))) if deltas else set()
    wire = Translator(root)
    wire.begin()
    events = [event for at, raw in enumerate(raws) if at not in lost for event in wire.feed(raw)]
    events += wire.resync(messages(raws, root))
    whole = played(case)[-1].text
    assert wire.turn_end()[-1].text == whole


def messages(raws: list[dict[str, Any]], root: str) -> list[dict[str, Any]]:
    """What GET /session/{id}/message would say at the end."""
    out: dict[str, dict[str, Any]] = {}
    texts: dict[str, str] = {}
    for raw in raws:
        properties = raw["properties"]
        if raw["type"] == "message.updated" and properties["info"].get("sessionID") == root:
            out.setdefault(properties["info"]["id"], {"parts": {}})["info"] = properties["info"]
        if raw["type"] == "message.part.delta":
            texts[properties["partID"]] = texts.get(properties["partID"], "") + properties["delta"]
        if raw["type"] == "message.part.updated" and properties["part"]["sessionID"] == root:
            part = properties["part"]
            out.setdefault(part["messageID"], {"parts": {}})["parts"][part["id"]] = part
            if raw["properties"]["part"].get("text"):
                texts[part["id"]] = part["text"]
        if is_retry(raw):
            for message in out.values():
                message["parts"] = {
                    key: part for key, part in message["parts"].items() if part["type"] != "text" or part.get("time")
                }
    for message in out.values():
        parts = message["parts"].values()
        message["parts"] = [
            {**part, **({"text": texts[part["id"]]} if part["id"] in texts else {})} for part in parts
        ]
    return list(out.values())


def is_retry(raw: dict[str, Any]) -> bool:
    return (
        bool((raw["properties"].get("status") or {}).get("type") == "retry")
        if raw["type"] == "session.status"
        else False
    )


FORMS = st.recursive(
    st.none() | st.text(max_size=3) | st.just("r") | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["sessionID", "info", "part", "status", "id", "type", "tool", "state", "error", "questions"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted({raw["type"] for case in CASES for raw in recorded(case)[1]})), FORMS)
def test_an_event_of_an_unknown_form_is_no_reason_to_fall_over(kind: str, properties: object) -> None:
    Translator("r").feed({"type": kind, "properties": properties})


def test_a_second_turn_is_not_answered_with_the_first() -> None:
    root, raws = recorded("hello")
    wire = Translator(root)
    wire.begin()
    for raw in raws:
        wire.feed(raw)
    wire.begin()
    assert not wire.moved
    wire.resync(messages(raws, root))
    assert not wire.moved
    assert wire.turn_end()[-1].text == ""
