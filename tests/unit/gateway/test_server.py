"""A call from the agent to the upstream and back, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from moor.domain.call import CANCELLED, CUT, OK
from moor.domain.models import NANO
from tests.unit.gateway.rig import rig, run
from tests.unit.gateway.scripted import ANSWER, TOKEN, Seen, Talk, anthropic_events


@pytest.mark.feature("F3.1", "F2.2")
def test_a_call_reaches_the_upstream_with_its_credential_and_the_answer_comes_back() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.message(extra="kept as it is")
            assert (answer.status, answer.json) == (200, ANSWER)
            seen = r.server.seen[0]
            assert seen.line == "POST /up/anthropic-messages/generate HTTP/1.1"
            assert seen.headers["authorization"] == f"Bearer {TOKEN}"
            assert seen.headers["user-agent"] == "moor/0 tester/1"
            assert seen.headers["x-static"] == "yes"
            assert seen.headers["accept-encoding"] == "identity"
            assert seen.json["extra"] == "kept as it is"

    run(scenario())


@pytest.mark.feature("F3.21")
def test_a_stream_passes_and_is_metered() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.message(stream=True)
            assert answer.status == 200
            assert answer.body == b"".join(anthropic_events("hi"))
            row = (await r.rows())[0]
            assert (row.outcome, row.stream, row.estimated) == (OK, True, False)
            assert (row.usage.input, row.usage.output) == (10, 1)

    run(scenario())


def test_the_row_says_everything_about_the_call() -> None:
    async def scenario() -> None:
        async with rig() as r:
            await r.ask(
                "/anthropic/v1/messages",
                {"model": "m-1", "messages": []},
                x_session_id="agent-session",
                x_parent_id="parent",
            )
            row = (await r.rows())[0]
            assert (row.session, row.agent, row.upstream) == ("ses_test", "tester", "test")
            assert (row.dialect, row.model, row.status, row.attempts) == ("anthropic-messages", "m-1", 200, 1)
            assert (row.agent_session, row.parent_session) == ("agent-session", "parent")
            assert (row.usage.input, row.usage.output, row.usage.cache_read, row.usage.cache_write) == (10, 5, 3, 2)
            assert row.cost_nano == (10 * 3_000 + 5 * 15_000 + 3 * 300 + 2 * 3_750) * NANO // 1_000_000_000
            assert (row.price_source, row.price_date) == ("table", "2026-11-01")
            assert row.request_bytes == len(b'{"model":"m-1","messages":[]}')
            assert row.first_byte_ms is not None

    run(scenario())


def test_a_kept_connection_carries_many_calls() -> None:
    async def scenario() -> None:
        async with rig() as r:
            client = await r.client()
            for _ in range(5):
                answer = await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1", "messages": []})
                assert answer.status == 200
            client.close()
            assert r.server.connections == 1

    run(scenario())


@pytest.mark.feature("F3.7")
@pytest.mark.parametrize("begun", [True, False])
def test_a_call_ends_with_its_key(*, begun: bool) -> None:
    async def handler(talk: Talk, seen: Seen) -> None:
        if begun:
            await talk.stream(anthropic_events(*["word "] * 20)[:10], end=False)
        await asyncio.sleep(20)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            asking = asyncio.create_task(r.message(stream=True))
            while not r.server.seen:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert not asking.done()
            r.keys.remove(r.session)
            answer = await asyncio.wait_for(asking, 3)
            assert "the key of this call was revoked" in answer.text
            assert answer.status == (200 if begun else 401)
            assert ("event: error" in answer.text) == begun
            row = (await r.rows())[0]
            assert (row.outcome, row.error.partition(":")[0]) == (CUT if begun else CANCELLED, "key-unknown")
            assert row.usage.total > 0
            assert (await r.message()).status == 401

    run(scenario())
