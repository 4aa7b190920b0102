from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moor.cli.output import Output
from moor.cli.steps import Steps, clean
from moor.domain.event import MESSAGE, PERMISSION, QUESTION, STATUS, TOOL_CALL, TOOL_UPDATE, Event


def shown(*events: Event, stream: bool = False, **how: Any) -> tuple[str, str]:
    out = Output({"NO_COLOR": "1"}, stdout=io.StringIO(), stderr=io.StringIO(), **how)
    steps = Steps(out, stream=stream)
    for event in events:
        steps.show(event)
    steps.close()
    return out.stdout.getvalue(), out.stderr.getvalue()  # type: ignore[attr-defined]


def test_a_step_is_one_line_once_it_is_done() -> None:
    begun = Event(kind=TOOL_CALL, id="1", name="bash", title="make\ntest", status="pending")
    done = Event(kind=TOOL_UPDATE, id="1", name="bash", status="completed")
    assert shown(begun, done) == ("", "✓ bash     make ↵ test\n")
    failed = Event(kind=TOOL_UPDATE, id="1", name="bash", status="failed", data={"error": "no such file"})
    assert shown(begun, failed, verbose=True)[1] == "✗ bash     make ↵ test\n  no such file\n"


def test_paths_of_the_work_tree_are_shown_from_there() -> None:
    out = Output({"NO_COLOR": "1"}, stdout=io.StringIO(), stderr=io.StringIO())
    Steps(out, stream=False, cwd="/w").show(
        Event(kind=TOOL_CALL, id="1", name="read", title="/w/src/a.py", status="completed")
    )
    assert out.stderr.getvalue() == "✓ read     src/a.py\n"  # type: ignore[attr-defined]


def test_a_sub_agents_steps_stand_to_the_right_and_its_words_are_not_the_answer() -> None:
    inner = {"subagent": True}
    text = Event(kind=MESSAGE, text="inner", data=inner)
    done = Event(kind=TOOL_CALL, id="1", name="read", title="a", status="completed", data=inner)
    assert shown(text, done, stream=True) == ("", "  ✓ read     a\n")


def test_streamed_text_is_ended_before_a_step_is_shown() -> None:
    step = Event(kind=TOOL_CALL, id="1", name="read", title="a", status="completed")
    out, err = shown(Event(kind=MESSAGE, text="I look"), step, Event(kind=MESSAGE, text=" and see"), stream=True)
    assert (out, err) == ("I look\n and see\n", "✓ read     a\n")


def test_waits_questions_and_denials_are_told() -> None:
    wait = Event(kind=STATUS, text="retry", title="limited", data={"attempt": 2})
    ask = Event(kind=QUESTION, title="Which?")
    err = shown(wait, ask)[1]
    assert "attempt 2" in err
    assert "Which?" in err
    out = Output({"NO_COLOR": "1"}, stdout=io.StringIO(), stderr=io.StringIO())
    Steps(out, stream=False).denied(Event(kind=PERMISSION, name="bash", title="sudo ls"), "preset edit: x")
    assert "denied bash: sudo ls — preset edit: x" in out.stderr.getvalue()  # type: ignore[attr-defined]


def test_quiet_shows_nothing() -> None:
    step = Event(kind=TOOL_CALL, id="1", name="read", title="a", status="completed")
    assert shown(Event(kind=MESSAGE, text="x"), step, stream=True, quiet=True) == ("", "")


@given(st.text())
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    event = Event(kind=MESSAGE, text=text + "\x1b[2J\x9b31m\x07\r")
    step = Event(kind=TOOL_CALL, id="1", name="read", title=text + "\x1b]0;x\x07", status="completed")
    out, err = shown(event, step, stream=True)
    assert not set("\x1b\x9b\x07\r") & set(out + err)
    assert clean("a\nb\tc") == "a\nb\tc"
