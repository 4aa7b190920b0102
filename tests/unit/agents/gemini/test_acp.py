"""Recorded turns of the real Gemini CLI (`tests/golden/gemini`), translated."""

from __future__ import annotations

import json
from pathlib import Path

from moor.agents.acp.wire import Translator
from moor.agents.base import COMMAND, READ, WRITE
from moor.agents.gemini.acp import TRAITS, mend
from moor.domain.event import MESSAGE, PERMISSION, THOUGHT, TOOL_CALL, TOOL_UPDATE, TURN_END, Event

GOLDEN = Path(__file__).parents[3] / "golden" / "gemini"


def played(case: str, *, allow: bool = True) -> list[Event]:
    wire = Translator("s1", TRAITS)
    wire.begin()
    events: list[Event] = []
    for line in (GOLDEN / case / "messages.jsonl").read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if message.get("method") == "session/update":
            events += wire.update(message["params"])
        elif "method" in message:
            events += wire.permission(str(message["id"]), message["params"])
            events += [] if allow else wire.denied(message["params"]["toolCall"]["toolCallId"])
        else:
            events += wire.end(message["result"], None)
    return events


def test_a_recorded_turn_has_every_call_once_and_its_answer_at_the_end() -> None:
    events = played("fix-test")
    calls = [event for event in events if event.kind == TOOL_CALL]
    assert [event.name for event in calls] == [
        "read_file",
        "read_file",
        "run_shell_command",
        "replace",
        "run_shell_command",
    ]
    ends = [event.id for event in events if event.kind == TOOL_UPDATE and event.status == "completed"]
    assert ends == [event.id for event in calls]
    assert {MESSAGE, THOUGHT} <= {event.kind for event in events}
    assert (events[-1].kind, events[-1].status) == (TURN_END, "end_turn")
    assert events[-1].text.startswith("(simulated) Done: `with_discount`")


def test_a_permission_says_what_would_be_touched() -> None:
    asked = [event for event in played("fix-test") if event.kind == PERMISSION]
    command, edit = asked[0], asked[1]
    assert (command.data["access"], command.data["command"]) == (COMMAND, "python3 -B -m unittest -q")
    assert command.data["cwd"] == "/w"
    assert (edit.data["access"], edit.paths, edit.name) == (WRITE, ("/w/pricing.py",), "replace")


def test_a_denied_call_fails_once() -> None:
    events = played("denied", allow=False)
    denied = next(event for event in events if event.kind == PERMISSION).data["call"]
    ends = [(event.status, event.data) for event in events if event.kind == TOOL_UPDATE and event.id == denied]
    assert ends == [("failed", {"denied": True})]


def test_a_call_in_another_form_is_left_as_it_is() -> None:
    for call in ({}, {"toolCallId": 3}, {"kind": "execute"}, {"kind": "execute", "title": 1, "content": ["x"]}):
        assert "command" not in mend(call).get("rawInput", {})
    assert mend({"toolCallId": "read_file__x_1", "kind": READ})["name"] == "read_file"
