"""Hostile and broken peers on both sides: nothing hangs, grows, crashes or lies in the ledger."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from moor.domain.call import CUT, ERROR, OK
from moor.domain.session import AgentTraits
from moor.gateway.limits import Limits, Patience
from moor.gateway.prepare import SIDE_DOORS
from tests.unit.gateway.rig import KEY, make_session, rig, run
from tests.unit.gateway.scripted import ANSWER, Seen, Talk, anthropic_events

ONCE = Limits(tick_s=0.05, patience=Patience(attempts=1))


def head(**headers: str) -> bytes:
    lines = {"host": "127.0.0.1:@", "authorization": f"Bearer {KEY}", **headers}
    return (
        b"POST /anthropic/v1/messages HTTP/1.1\r\n"
        + "".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode()
        + b"\r\n"
    )


def test_a_request_in_a_great_many_tiny_chunks_is_read_in_bounded_memory() -> None:
    async def scenario() -> None:
        async with rig() as r:
            body = b'{"model":"m-1","x":"' + b"a" * 60_000 + b'"}'
            chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
            data = head(**{"transfer-encoding": "chunked", "connection": "close"}).replace(b"@", str(r.port).encode())
            answer = await r.raw(data + chunks, wait_s=20)
            assert answer.startswith(b"HTTP/1.1 ")
            assert r.gateway.bodies.held == 0
            if answer.startswith(b"HTTP/1.1 200"):
                assert r.server.seen[0].body == body

    run(scenario())


def test_trailers_of_a_client_do_not_travel() -> None:
    async def scenario() -> None:
        async with rig() as r:
            data = head(**{"transfer-encoding": "chunked", "connection": "close"}).replace(b"@", str(r.port).encode())
            body = b'{"model":"m-1"}'
            answer = await r.raw(data + b"%x\r\n%s\r\n0\r\nauthorization: Bearer stolen\r\n\r\n" % (len(body), body))
            assert b" 200 " in answer.split(b"\r\n")[0] or b" 400 " in answer.split(b"\r\n")[0]
            for seen in r.server.seen:
                assert "stolen" not in str(seen.headers)

    run(scenario())


def test_trailers_of_an_upstream_do_not_reach_the_agent() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        body = json.dumps(ANSWER).encode()
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        await talk.raw(b"%x\r\n%s\r\n0\r\nset-cookie: a=b\r\n\r\n" % (len(body), body))

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.json == ANSWER
            assert "set-cookie" not in answer.headers
            assert (await r.message()).json == ANSWER

    run(scenario())


def test_an_upstream_that_answers_before_it_has_read_the_request_is_heard() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json({"error": {"message": "too much"}}, 413, "connection: close\r\n")
        talk.writer.close()

    async def scenario() -> None:
        async with rig(limits=ONCE) as r:

            async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                await handler(Talk(reader, writer), Seen("", {}, b""))

            server = await asyncio.start_server(early, "127.0.0.1", 0)
            r.upstream.port = server.sockets[0].getsockname()[1]
            answer = await r.message(messages=["x" * 4_000_000])
            assert answer.status == 413
            assert "too much" in answer.text
            server.close()

    run(scenario())


@pytest.mark.parametrize("status", [200, 503])
def test_a_coding_that_nobody_here_can_read_is_refused_on_both_ways(status: int) -> None:
    """What cannot be counted must not pass a cap."""

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-encoding: br\r\n"
            b"content-length: 10\r\n\r\nnot really" % status
        )

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            assert (await r.ask("/anthropic/v1/messages", b"(\xb5/\xfd", content_encoding="br")).status == 415
            answer = await r.message()
            assert answer.status >= 500
            assert "content-encoding" not in answer.headers
            assert "in the coding 'br'" in answer.text

    run(scenario())


@pytest.mark.parametrize("end", [b"\xc3", b"\xf0\x9f\x98", b'data: {"type":"content_bl'])
def test_a_stream_cut_inside_a_character_or_an_event_ends_in_whole_events(end: bytes) -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        events = b"".join(anthropic_events("hi")[:3]) + b'event: content_block_delta\ndata: {"text":"' + end
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await talk.raw(b"%x\r\n%s\r\n" % (len(events), events))
        await asyncio.sleep(0.05)
        talk.drop()

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message(stream=True)
            answer.body.decode("utf-8")
            for block in answer.text.strip().split("\n\n"):
                json.loads(block.rsplit("data: ", 1)[1])
            assert json.loads(answer.text.strip().rsplit("data: ", 1)[1])["type"] == "error"
            assert (await r.rows())[0].outcome == CUT

    run(scenario())


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "many",
        {"input_tokens": -5, "output_tokens": 10**30},
        {"input_tokens": 1e300, "output_tokens": None},
        {"input_tokens": [1], "output_tokens": {"a": 1}, "cache_read_input_tokens": True},
        {"input_tokens": 3.5, "output_tokens": "7"},
    ],
)
def test_usage_that_is_no_usage_neither_fails_a_call_nor_lies_in_its_row(usage: Any) -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json(json.dumps({**ANSWER, "usage": usage}).encode())

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            assert (await r.message()).status == 200
            row = (await r.rows())[0]
            assert row.outcome in (OK, ERROR)
            counts = (row.usage.input, row.usage.output, row.usage.cache_read, row.usage.cache_write)
            assert all(type(count) is int and 0 <= count < 10**12 for count in counts)

    run(scenario())


def test_a_client_that_claims_another_session_is_counted_under_its_own_key() -> None:
    async def scenario() -> None:
        traits = AgentTraits(session_header="x-session-id", parent_header="x-parent-id")
        async with rig(session=make_session(traits=traits)) as r:
            claims = {"x_session_id": "ses_other", "x_moor_session": "ses_other", "moor_session": "ses_other"}
            assert (
                await r.ask("/anthropic/v1/messages", {"model": "m-1", "session": "ses_other"}, **claims)
            ).status == 200
            row = (await r.rows())[0]
            assert (row.session, row.agent_session) == ("ses_test", "ses_other")
            assert "x-moor-session" not in r.server.seen[0].headers

    run(scenario())


def test_a_stall_after_the_first_token_ends_within_its_deadline() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events("hi")[:3], end=False)
        await asyncio.sleep(30)

    async def scenario() -> None:
        async with rig(handler=handler, limits=Limits(tick_s=0.02, between_s=0.3)) as r:
            answer = await asyncio.wait_for(r.message(stream=True), 5)
            assert "silent for 0.3 s" in answer.text
            assert (await r.rows())[0].outcome == CUT

    run(scenario())


def test_numbers_and_depths_that_break_parsers_do_not_break_the_gateway() -> None:
    async def scenario() -> None:
        async with rig() as r:
            for body in (
                b'{"model":"m-1","max_tokens":' + b"9" * 100_000 + b"}",
                b'{"model":"m-1","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
                b'{"model":"m-1","x":"\xff\xfe"}',
                b'{"model":"m-1","x":1e99999999}',
                b'{"model":"\\ud800"}',
                b'{"model":"m-1",}',
            ):
                answer = await r.ask("/anthropic/v1/messages", body)
                assert answer.status in (200, 400, 403), (answer.status, body[:40])
            assert (await r.message()).status == 200

    run(scenario())


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize("key", sorted(SIDE_DOORS))
def test_a_key_by_which_routers_take_another_model_is_refused(key: str) -> None:
    """Also in a body whose other keys are all known ones, and again when such a body came before."""

    async def scenario() -> None:
        async with rig() as r:
            assert (await r.message()).status == 200
            answer = await r.message(**{key: ["secret-model"]})
            assert answer.status == 400
            assert f"the key `{key}` would pick models past the allowlist" in answer.text
            assert len(r.server.seen) == 1

    run(scenario())
