"""Recorded turns of the real app-server (`tests/golden/codex`), and what may go wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import COMMAND, OTHER, WRITE
from moor.agents.codex.wire import RETRY, Translator, refusal
from moor.domain.event import (
    ERROR,
    MESSAGE,
    PERMISSION,
    QUESTION,
    STATUS,
    THOUGHT,
    TOOL_CALL,
    TOOL_UPDATE,
    TURN_END,
    Event,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "codex"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/events.jsonl"))


def recorded(case: str) -> tuple[str, list[dict[str, Any]]]:
    root = (GOLDEN / case / "root.txt").read_text(encoding="utf-8").strip()
    lines = (GOLDEN / case / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return root, [json.loads(line) for line in lines]


def played(case: str) -> list[Event]:
    root, raws = recorded(case)
    wire = Translator(root)
    wire.begin()
    events = [event for raw in raws for event in wire.feed(raw)]
    assert wire.over
    return events


def begun() -> Translator:
    wire = Translator("t")
    wire.begin()
    wire.feed({"method": "turn/started", "params": {"threadId": "t", "turn": {"id": "u"}}})
    return wire


def item(kind: str, method: str = "item/started", thread: str = "t", **fields: Any) -> dict[str, Any]:
    return {"method": method, "params": {"threadId": thread, "item": {"type": kind, "id": "i", **fields}}}


def ask(method: str, number: int = 0, **params: Any) -> dict[str, Any]:
    return {"id": number, "method": method, "params": {"threadId": "t", "itemId": "i", **params}}


@pytest.mark.feature("F12.13", "F12.14")
@pytest.mark.parametrize("case", CASES)
def test_a_turn_ends_once_and_its_text_is_what_was_said_last(case: str) -> None:
    events = played(case)
    assert [event.kind for event in events].count(TURN_END) == 1
    end = events[-1]
    assert end.kind == TURN_END
    assert end.status == ("error" if case == "error" else "end_turn")
    said = "".join(event.text for event in events if event.kind == MESSAGE and not event.data.get("subagent"))
    assert said.endswith(end.text)
    assert all(event.raw is not None for event in events)


def test_commands_and_patches_are_asked_for_with_what_they_touch() -> None:
    events = played("task")
    asked = [event for event in events if event.kind == PERMISSION]
    assert [event.data["access"] for event in asked] == [COMMAND, COMMAND, COMMAND, WRITE, COMMAND]
    assert asked[0].data["command"] == "cat test_pricing.py"
    assert asked[0].data["reads"] == ("/repository", "/repository/test_pricing.py")
    assert "reads" not in asked[2].data
    assert asked[3].paths == ("/repository/pricing.py",)
    tools = [event for event in events if event.kind in (TOOL_CALL, TOOL_UPDATE)]
    assert [event.status for event in tools if event.kind == TOOL_UPDATE] == [
        *("completed", "completed", "failed", "completed", "completed")
    ]
    assert tools[5].data["exit_code"] == 1
    assert any(event.kind == THOUGHT for event in events)


def test_an_error_is_told_in_the_words_of_the_upstream() -> None:
    events = played("error")
    assert [event.kind for event in events] == [STATUS, STATUS, ERROR, TURN_END]
    assert events[1].text == RETRY
    assert events[1].title == "Reconnecting... 1/1 (no permission to query it)"
    assert events[1].data["attempt"] == 1
    assert events[2].text == "no permission to query it"


def test_an_interrupted_turn_is_cancelled_and_another_turns_end_is_not_ours() -> None:
    wire = begun()
    ended = {"threadId": "t", "turn": {"id": "other", "status": "completed"}}
    assert wire.feed({"method": "turn/completed", "params": ended}) == []
    ended["turn"] = {"id": "u", "status": "interrupted", "error": {"message": "x"}}
    (end,) = wire.feed({"method": "turn/completed", "params": ended})
    assert (end.kind, end.status, wire.over) == (TURN_END, "cancelled", True)


def test_a_failed_turn_without_words_is_no_success() -> None:
    wire = begun()
    error = {"threadId": "t", "willRetry": False, "error": {"message": '{"error": {"message": "it broke"}}'}}
    assert wire.feed({"method": "error", "params": error}) == []
    ended = {"threadId": "t", "turn": {"id": "u", "status": "failed"}}
    told, end = wire.feed({"method": "turn/completed", "params": ended})
    assert (told.text, end.status) == ("it broke", "error")
    wire = begun()
    assert wire.feed({"method": "turn/completed", "params": ended})[0].text


def test_each_answer_has_the_form_that_its_request_wants() -> None:
    wire = begun()
    for number, method in enumerate(
        (
            "item/commandExecution/requestApproval",
            "item/fileChange/requestApproval",
            "item/permissions/requestApproval",
        )
    ):
        (event,) = wire.feed(ask(method, number, permissions={"network": {"enabled": True}}))
        assert event.kind == PERMISSION
        assert wire.is_asked(ask(method, number))
    assert wire.answer("ask-0", True, "") == {"id": 0, "result": {"decision": "accept"}}
    assert wire.answer("ask-0", True, "") is None
    assert wire.answer("ask-1", False, "no") == {"id": 1, "result": {"decision": "decline"}}
    granted = wire.answer("ask-2", True, "")
    assert granted == {"id": 2, "result": {"permissions": {"network": {"enabled": True}}, "scope": "turn"}}
    wire.feed(ask("item/permissions/requestApproval", 3, permissions={"network": {}}))
    assert wire.answer("ask-3", False, "") == {"id": 3, "result": {"permissions": {}, "scope": "turn"}}


def test_a_question_is_answered_with_the_note() -> None:
    wire = begun()
    (event,) = wire.feed(ask("item/tool/requestUserInput", 5, questions=[{"id": "q", "question": "Which?"}]))
    assert (event.kind, event.title) == (QUESTION, "Which?")
    assert wire.answer(event.id, False, "none") == {"id": 5, "result": {"answers": {"q": {"answers": ["none"]}}}}


def test_a_call_of_an_mcp_tool_asks_and_a_form_is_refused() -> None:
    wire = begun()
    call = ask(
        "mcpServer/elicitation/request",
        1,
        serverName="s",
        message="Run?",
        _meta={"codex_approval_kind": "x", "tool_name": "t"},
    )
    (event,) = wire.feed(call)
    assert (event.data["access"], event.name) == (OTHER, "s.t")
    assert wire.answer(event.id, True, "") == {"id": 1, "result": {"action": "accept", "content": {}, "_meta": None}}
    form = ask("mcpServer/elicitation/request", 2, serverName="s")
    assert wire.feed(form) == []
    assert not wire.is_asked(form)
    assert refusal(form)["result"]["action"] == "decline"
    assert refusal(ask("item/tool/call", 3))["error"]["code"] == -32601


def test_a_patch_that_is_not_known_names_no_file_and_input_for_a_program_no_command() -> None:
    wire = begun()
    (patch,) = wire.feed(ask("item/fileChange/requestApproval"))
    assert patch.paths == ()
    (typed,) = wire.feed(ask("item/commandExecution/requestApproval", 1, kind="writeStdin", command="rm -rf x"))
    assert typed.data["command"] == ""


def test_a_patch_names_where_it_moves_files_to() -> None:
    wire = begun()
    moved = {"path": "/a", "kind": {"type": "update", "move_path": "/b"}}
    wire.feed(item("fileChange", changes=[moved], status="inProgress"))
    (event,) = wire.feed(ask("item/fileChange/requestApproval", grantRoot="/c"))
    assert event.paths == ("/a", "/b", "/c")


def test_threads_of_others_are_not_told_and_those_of_sub_agents_are() -> None:
    wire = begun()
    said = {"method": "item/agentMessage/delta", "params": {"threadId": "child", "itemId": "m", "delta": "hi"}}
    assert wire.feed(said) == []
    wire.feed({"method": "thread/started", "params": {"thread": {"id": "child", "parentThreadId": "t"}}})
    (event,) = wire.feed(said)
    assert event.data == {"subagent": True}
    assert wire.feed({"method": "turn/completed", "params": {"threadId": "child", "turn": {}}}) == []


def test_a_whole_message_tells_only_what_its_parts_did_not() -> None:
    wire = begun()
    wire.feed({"method": "item/agentMessage/delta", "params": {"threadId": "t", "itemId": "i", "delta": "Hel"}})
    (event,) = wire.feed(item("agentMessage", "item/completed", text="Hello"))
    assert event.text == "lo"
    assert wire.feed(item("agentMessage", "item/completed", text="Hello")) == []


def test_a_thought_is_told_whole_where_no_part_of_it_came() -> None:
    wire = begun()
    whole = item("reasoning", "item/completed", summary=["a"], content=["b"])
    (event,) = wire.feed(whole)
    assert (event.kind, event.text) == (THOUGHT, "a\nb")
    assert wire.feed(whole) == []


@pytest.mark.parametrize("raw", [{}, {"method": "item/started"}, {"method": "error", "params": 3}, {"params": []}])
def test_what_is_not_known_says_nothing(raw: dict[str, Any]) -> None:
    assert begun().feed(raw) == []
