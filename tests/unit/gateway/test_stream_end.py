"""Streams that end without their last event: mended where they gave a reason to stop, else ended in words."""

from __future__ import annotations

import json

import pytest

from moor.domain.call import CUT, OK
from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.quirks import OMITS_STREAM_END
from moor.domain.session import Session
from moor.domain.watch import Watch
from tests.unit.gateway.rig import STREAM_PATHS, make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, anthropic_events

MENDING = frozenset((OMITS_STREAM_END,))


def chat(finish: str | None, **more: object) -> bytes:
    choices = [{"index": 0, "delta": {} if finish else {"content": "word "}, "finish_reason": finish}]
    return f"data: {json.dumps({'id': 'c', 'choices': choices, **more})}\n\n".encode()


USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
WHOLE = {
    ANTHROPIC_MESSAGES: anthropic_events("a", "b"),
    OPENAI_CHAT: [chat(None), chat(None), chat("stop", usage=USAGE), b"data: [DONE]\n\n"],
}


def ends_with(events: list[bytes]) -> Handler:
    async def handler(talk: Talk, seen: Seen) -> None:
        await talk.stream(events)

    return handler


@pytest.mark.feature("F3.8")
@pytest.mark.parametrize("dialect", WHOLE)
@pytest.mark.parametrize("blank", [True, False])
def test_what_lacks_its_last_event_only_is_whole_for_the_agent(dialect: str, *, blank: bool) -> None:
    async def scenario() -> None:
        whole = WHOLE[dialect]
        events = whole[:-1] if blank else [*whole[:-2], whole[-2].rstrip()]
        async with rig(handler=ends_with(events), quirks=MENDING) as r:
            answer = await r.ask(
                STREAM_PATHS[dialect], {"model": "m-1", "max_tokens": 9, "messages": [], "stream": True}
            )
            told = answer.body.replace(b'"type":"message_stop"', b'"type": "message_stop"')
            assert (answer.status, answer.broken, told) == (200, "", b"".join(whole))
            row = (await r.rows())[0]
            assert (row.outcome, row.rules, row.usage.output, row.estimated) == (OK, ("stream-end",), 2, False)

    run(scenario())


@pytest.mark.parametrize("dialect", WHOLE)
def test_a_whole_stream_stays_as_it_is(dialect: str) -> None:
    async def scenario() -> None:
        async with rig(handler=ends_with(WHOLE[dialect]), quirks=MENDING) as r:
            answer = await r.ask(
                STREAM_PATHS[dialect], {"model": "m-1", "max_tokens": 9, "messages": [], "stream": True}
            )
            assert answer.body == b"".join(WHOLE[dialect])
            assert (await r.rows())[0].rules == ()

    run(scenario())


@pytest.mark.parametrize("dialect", WHOLE)
@pytest.mark.parametrize(
    ("count", "session"),
    [(-2, make_session()), (-1, make_session(watch=Watch(rules_off=("stream-end",))))],
)
def test_without_a_reason_to_stop_or_with_the_rule_off_nothing_is_made_up(
    dialect: str, count: int, session: Session
) -> None:
    async def scenario() -> None:
        events = WHOLE[dialect][: count - (dialect == ANTHROPIC_MESSAGES and count == -2)]
        async with rig(handler=ends_with(events), quirks=MENDING, session=session) as r:
            answer = await r.ask(
                STREAM_PATHS[dialect], {"model": "m-1", "max_tokens": 9, "messages": [], "stream": True}
            )
            row = (await r.rows())[0]
            assert row.rules == ()
            if dialect == OPENAI_CHAT and count == -1:
                assert (row.outcome, answer.body) == (OK, b"".join(events))
            else:
                assert row.outcome == CUT
                assert "ended its answer before its end" in answer.text

    run(scenario())
