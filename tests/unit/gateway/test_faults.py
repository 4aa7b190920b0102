"""What goes wrong upstream, and what the agent and the ledger then see."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Callable

import pytest

from moor.domain.call import ERROR, OK, UNREACHABLE
from moor.errors.auth import SignInNeeded
from moor.errors.net import Unreachable
from moor.gateway.limits import Limits
from moor.wire.content import zstd_module
from tests.unit.gateway.rig import rig, run
from tests.unit.gateway.scripted import ANSWER, Handler, Seen, Talk, Tokens, anthropic_events

DEAD = {"error_code": 403, "message": "Invalid access token. [ReqId: 1]"}


def dead_for(*tokens: str):  # type: ignore[no-untyped-def]
    """A handler that refuses these tokens and answers any other one."""

    async def handler(talk: Talk, seen: Seen) -> None:
        if seen.headers["authorization"].removeprefix("Bearer ") in tokens:
            await talk.json(DEAD, 403)
        else:
            await talk.json(ANSWER)

    return handler


@pytest.mark.feature("F2.3")
def test_a_dead_credential_is_renewed_once_and_the_same_bytes_are_sent_again() -> None:
    async def scenario() -> None:
        async with rig(tokens=Tokens("old", "new"), handler=dead_for("old")) as r:
            answer = await r.message()
            assert answer.status == 200
            first, second = r.server.seen
            assert first.body == second.body
            assert second.headers["authorization"] == "Bearer new"
            assert r.tokens.obtained == ["0"]
            row = (await r.rows())[0]
            assert (row.outcome, row.attempts) == (OK, 2)

    run(scenario())


def test_a_second_dead_credential_ends_in_the_sign_in_sentence_without_a_loop() -> None:
    async def scenario() -> None:
        async with rig(tokens=Tokens("old", "old2", "new"), handler=dead_for("old", "old2")) as r:
            answer = await r.message()
            assert answer.status == 401
            assert "moor login" in answer.text
            assert len(r.server.seen) == 2

    run(scenario())


def test_a_sign_in_that_is_needed_is_said_in_the_agents_fatal_status() -> None:
    async def scenario() -> None:
        async with rig(tokens=Tokens("old"), handler=dead_for("old")) as r:
            answer = await r.message()
            assert answer.status == 401
            assert answer.json["type"] == "error"
            assert "moor login --upstream test" in answer.json["error"]["message"]
            row = (await r.rows())[0]
            assert (row.outcome, row.status) == (ERROR, 401)
            assert "sign-in-needed" in row.error

    run(scenario())


def test_a_credential_that_does_not_come_is_answered_in_time() -> None:
    async def scenario() -> None:
        tokens = Tokens()
        tokens.ready, tokens.delay_s = False, 3.0
        async with rig(tokens=tokens, limits=Limits(tick_s=0.05, sign_in_s=0.2)) as r:
            started = time.monotonic()
            answer = await r.message()
            assert answer.status == 502
            assert "no fresh credential in time" in answer.text
            assert time.monotonic() - started < 2

    run(scenario())


@pytest.mark.feature("F2.1")
def test_a_token_that_is_due_is_used_while_it_is_renewed() -> None:
    async def scenario() -> None:
        tokens = Tokens("dapi" + "1" * 32)
        tokens.ready, tokens.is_spare, tokens.delay_s = False, True, 1.5
        async with rig(tokens=tokens) as r:
            loop = asyncio.get_running_loop()
            started = loop.time()
            answers = await asyncio.gather(*[r.message() for _ in range(5)])
            assert [answer.status for answer in answers] == [200] * 5
            assert loop.time() - started < 1.2, "they waited"
            while not tokens.ready:
                await asyncio.sleep(0.05)
            assert (await r.message()).status == 200
            assert tokens.obtained == [""]

    run(scenario())


def test_many_calls_that_meet_a_dead_token_at_once_renew_it_once() -> None:
    async def scenario() -> None:
        tokens = Tokens("old", "new")
        tokens.delay_s = 0.1
        async with rig(tokens=tokens, handler=dead_for("old")) as r:
            answers = await asyncio.gather(*(r.message() for _ in range(20)))
            assert [answer.status for answer in answers] == [200] * 20
            assert r.tokens.obtained == ["0"]

    run(scenario())


def test_another_403_is_passed_on_and_renews_nothing() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json({"error_code": "PERMISSION_DENIED", "message": "no"}, 403)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")
            assert r.tokens.obtained == []

    run(scenario())


def test_a_limit_that_lasts_passes_as_it_is_to_a_client_that_is_no_agent_of_ours() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"}, 429, "Retry-After: 700\r\n")

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert (answer.status, answer.headers["retry-after"]) == (429, "700")
            row = (await r.rows())[0]
            assert (row.outcome, row.attempts, row.cost_nano) == (ERROR, 1, 0)
            assert "slow" in row.error

    run(scenario())


def test_an_error_page_becomes_a_sentence_in_the_dialect() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 500 X\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>")

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.status == 500
            assert "web page" in answer.json["error"]["message"]

    run(scenario())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/login\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\nabc",
    ],
    ids=["redirect", "sign-in page", "no JSON"],
)
def test_what_no_model_answers_becomes_a_502_and_no_redirect_is_relayed(raw: bytes) -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(raw)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.status == 502
            assert "location" not in answer.headers
            assert answer.json["error"]["message"].startswith("moor: upstream test")

    run(scenario())


def test_garbage_instead_of_http_is_said() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n")

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.status == 502
            assert "not HTTP" in answer.text

    run(scenario())


def test_a_refused_connection_is_said() -> None:
    async def scenario() -> None:
        async with rig() as r:
            await r.server.close()
            r.upstream.port = 1
            answer = await r.message()
            assert answer.status == 502
            assert "refuses the connection" in answer.text
            row = (await r.rows())[0]
            assert row.outcome == UNREACHABLE

    run(scenario())


def test_a_name_that_nobody_knows_is_said() -> None:
    async def scenario() -> None:
        async with rig() as r:
            r.upstream.host = "no-such-host.invalid"
            answer = await r.message()
            assert answer.status == 502
            assert "no-such-host.invalid cannot be reached" in answer.text

    run(scenario())


def test_a_first_byte_that_never_comes_is_ended() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await asyncio.sleep(5)

    async def scenario() -> None:
        async with rig(handler=handler, limits=Limits(tick_s=0.05, first_byte_s=0.3)) as r:
            answer = await r.message()
            assert answer.status == 502
            assert "silent" in answer.text

    run(scenario())


def test_interim_answers_are_skipped() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        await talk.json(ANSWER)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            client = await r.client()
            for _ in range(2):
                answer = await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1"})
                assert (answer.status, answer.json) == (200, ANSWER)
            assert r.server.connections == 1
            client.close()

    run(scenario())


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda data: zstd_module().compress(data),
}


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_compressed_answer_is_unpacked_and_metered(chunked: bool, coding: str) -> None:
    packed = PACK[coding](json.dumps(ANSWER).encode())

    async def handler(talk: Talk, seen: Seen) -> None:
        assert seen.headers["accept-encoding"] == "identity"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: %s\r\n" % coding.encode()
        if chunked:
            await talk.raw(
                head + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n"
            )
        else:
            await talk.raw(head + b"content-length: %d\r\n\r\n" % len(packed) + packed)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.json == ANSWER
            assert "content-encoding" not in answer.headers
            assert (await r.rows())[0].usage.input == 10

    run(scenario())


def in_pieces(packed: bytes, coding: str, *, whole: bool = True) -> Handler:
    """A stream that comes compressed in two reads; not whole: without the end of both."""

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: %s\r\n"
            b"transfer-encoding: chunked\r\n\r\n" % coding.encode()
        )
        for piece in (packed[:20], packed[20:] if whole else packed[20:-12]):
            await talk.raw(b"%x\r\n%s\r\n" % (len(piece), piece))
        await talk.raw(b"0\r\n\r\n")

    return handler


def test_an_error_without_a_word_that_is_called_compressed_is_an_error_like_any_other() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 404 X\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n")

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.status == 404
            assert "content-encoding" not in answer.headers

    run(scenario())


@pytest.mark.parametrize("coding", PACK)
def test_a_compressed_stream_is_unpacked_and_metered(coding: str) -> None:
    events = b"".join(anthropic_events("hi", "ho"))

    async def scenario() -> None:
        async with rig(handler=in_pieces(PACK[coding](events), coding)) as r:
            answer = await r.message(stream=True)
            assert answer.body == events
            row = (await r.rows())[0]
            assert (row.usage.output, row.outcome) == (2, OK)

    run(scenario())


@pytest.mark.parametrize("coding", PACK)
def test_a_compressed_stream_that_breaks_or_unpacks_to_too_much_ends_in_words(coding: str) -> None:
    events = b"".join(anthropic_events("hi", "ho"))
    bomb = b"".join(anthropic_events("x" * 3_000_000))

    async def scenario(packed: bytes, whole: bool) -> None:
        async with rig(handler=in_pieces(packed, coding, whole=whole), limits=Limits(max_decoded=1_000_000)) as r:
            answer = await r.message(stream=True)
            assert "cannot be decoded" in answer.text
            assert len(answer.body) < 2_000_000
            assert (await r.rows())[0].outcome != OK

    run(scenario(PACK[coding](events), whole=False))
    run(scenario(PACK[coding](bomb), whole=True))


def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + json.dumps(ANSWER).encode())
        talk.writer.close()

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answer = await r.message()
            assert answer.json == ANSWER

    run(scenario())


def test_an_upstream_whose_credential_is_unreachable_is_a_502() -> None:
    async def scenario() -> None:
        tokens = Tokens()
        tokens.ready, tokens.error = False, Unreachable("workspace", "its name is not known")
        async with rig(tokens=tokens) as r:
            assert (await r.message()).status == 502

    run(scenario())


def test_a_credential_is_renewed_ahead_while_nobody_calls_and_an_alarm_is_raised_in_time() -> None:
    async def scenario() -> None:
        tokens = Tokens()
        told: list[str] = []
        limits = Limits(tick_s=0.02, tend_s=0.05)
        async with rig(tokens=tokens, limits=limits, alarm=told.append) as r:
            await asyncio.sleep(0.2)
            assert tokens.obtained == []
            tokens.ready = False
            await asyncio.sleep(0.3)
            assert tokens.obtained == [""]
            tokens.ready, tokens.error = False, SignInNeeded("test", "the session has ended")
            await asyncio.sleep(0.3)
            assert len(told) == 1
            assert "cannot be renewed" in told[0]
            assert "moor login" in told[0]
            tokens.error = None
            await asyncio.sleep(0.3)
            assert told[1:] == [""]
            assert (await r.message()).status == 200

    run(scenario())
