"""Answers that break, stall or are left by the agent: said in the dialect, counted, and never taken for an end."""

from __future__ import annotations

import asyncio

import pytest

from moor.domain.call import CANCELLED, CUT, ERROR, OK
from moor.domain.dialects import DIALECTS, GEMINI_GENERATE
from moor.domain.session import AgentTraits
from moor.gateway.limits import Limits
from moor.wire.refusal import ENDS_IN_WORDS
from tests.unit.gateway.rig import STREAM_PATHS, make_session, rig, run
from tests.unit.gateway.scripted import ANSWER, Seen, Talk, anthropic_events


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_breaks_ends_in_an_error_of_the_dialect_and_never_silently(dialect: str) -> None:
    first = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream([first, b'data: {"half of an ev'], end=False)
        await asyncio.sleep(0.05)
        talk.drop()

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            path = STREAM_PATHS[dialect]
            body = {} if dialect == GEMINI_GENERATE else {"model": "m-1", "stream": True}
            answer = await r.ask(path, body)
            assert answer.status == 200
            assert answer.body.startswith(first)
            assert b"half of an ev" not in answer.body
            error = answer.body.removeprefix(first)
            assert error.endswith(b"\n\n")
            assert b"broke off" in error
            assert b"error" in error
            assert bool(answer.broken) == (dialect not in ENDS_IN_WORDS)
            row = (await r.rows())[0]
            assert (row.outcome, row.estimated) == (CUT, True)

    run(scenario())


def test_a_stream_that_ends_cleanly_without_its_end_is_an_error_too() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events("hi")[:-2])

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message(stream=True)
            assert answer.body.count(b"event: error\n") == 1
            assert b"ended its answer before its end" in answer.body
            assert (await r.rows())[0].outcome == CUT

    run(scenario())


def test_a_stream_that_stalls_is_cut() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events("hi")[:3], end=False)
        await asyncio.sleep(5)

    async def scenario() -> None:
        async with rig(handler=handler, limits=Limits(tick_s=0.05, between_s=0.3)) as r:
            answer = await r.message(stream=True)
            assert b"event: error\n" in answer.body
            assert b"silent" in answer.body

    run(scenario())


def test_an_error_inside_a_stream_passes_and_counts_as_an_error() -> None:
    event = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream([*anthropic_events("hi")[:3], event], pause_s=0.05)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message(stream=True)
            assert answer.body.endswith(event)
            row = (await r.rows())[0]
            assert (row.outcome, row.status) == (ERROR, 200)
            assert "busy" in row.error

    run(scenario())


def test_a_json_answer_that_breaks_is_not_completed() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":')
        await asyncio.sleep(0.05)
        talk.drop()

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.broken
            assert (await r.rows())[0].outcome == CUT

    run(scenario())


def test_a_kept_connection_that_died_is_replaced_without_the_agent_noticing() -> None:
    async def scenario() -> None:
        async with rig() as r:
            calls = 0

            async def handler(talk: Talk, _: Seen) -> None:
                nonlocal calls
                calls += 1
                if calls == 2:
                    talk.drop()  # the upstream closed it just when it was used again
                    return
                await talk.json(ANSWER)

            r.server.handler = handler
            assert (await r.message()).status == 200
            assert (await r.message()).status == 200
            assert r.server.connections == 2
            assert [row.attempts for row in await r.rows(2)] == [1, 2]

    run(scenario())


def test_a_connection_that_breaks_is_tried_again_within_the_calls_budget() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        talk.drop()

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.status == 502
            assert "4 tries" in answer.text
            assert len(r.server.seen) == 4

    run(scenario())


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_that_leaves_cancels_the_upstreams_work(stream: bool) -> None:
    async def scenario() -> None:
        gone = asyncio.Event()

        async def handler(talk: Talk, _: Seen) -> None:
            if stream:
                await talk.stream(anthropic_events("hi")[:3], end=False)
            if not await talk.reader.read(1):
                gone.set()

        async with rig(handler=handler) as r:
            client = await r.client()
            await client.send("POST", "/anthropic/v1/messages", body={"model": "m-1", "stream": stream})
            await asyncio.sleep(0.2)
            client.close()
            await asyncio.wait_for(gone.wait(), 3)
            row = (await r.rows())[0]
            assert (row.outcome, row.status, row.estimated) == (CANCELLED, 0, True)
            assert row.usage.input > 0
            assert r.gateway.connections == 0
            assert r.gateway.bodies.held == 0

    run(scenario())


def test_an_agent_that_leaves_behind_the_last_event_has_its_answer() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events("hi"), end=False)
        await asyncio.sleep(5)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            client = await r.client()
            await client.send("POST", "/anthropic/v1/messages", body={"model": "m-1", "stream": True})
            await asyncio.wait_for(client.reader.readuntil(b'{"type": "message_stop"}'), 3)
            client.close()
            row = (await r.rows())[0]
            assert (row.outcome, row.status, row.estimated) == (OK, 200, False)
            assert row.usage.output == 1
            assert r.gateway.connections == 0

    run(scenario())


def test_a_bug_ends_one_call_in_words_and_the_connection_serves_on() -> None:
    async def scenario() -> None:
        session = make_session(traits=AgentTraits(fatal_status={"bad-upstream": 400}))
        async with rig(session=session) as r:
            client = await r.client()
            good, r.upstream.host = r.upstream.host, b"\xff"  # type: ignore[assignment]
            answer = await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1", "messages": []})
            assert answer.status == 400
            assert "itself failed on this call" in answer.json["error"]["message"]
            r.upstream.host = good
            again = await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1", "messages": []})
            assert again.status == 200
            row, _ = await r.rows(2)
            assert (row.outcome, row.error[:4]) == (ERROR, "bug:")
            client.close()

    run(scenario())
