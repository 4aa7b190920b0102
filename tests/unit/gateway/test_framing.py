"""Raw bytes on the listener: what llhttp lets through is refused, and no two parsers can disagree."""

from __future__ import annotations

import asyncio
import random
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moor.gateway.limits import Limits
from moor.wire.content import zstd_module
from tests.support.fuzz import examples
from tests.unit.gateway.rig import KEY, Rig, rig, run
from tests.unit.gateway.scripted import ANSWER

BODY = b'{"model":"m-1","messages":[]}'
LINE = b"POST /anthropic/v1/messages HTTP/1.1\r\n"
AUTH = f"authorization: Bearer {KEY}\r\n".encode()


def host(r: Rig) -> bytes:
    """The Host line that names the gateway."""
    return b"host: 127.0.0.1:%d\r\n" % r.port


def statuses(raw: bytes) -> list[int]:
    """The status of every answer in the bytes."""
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


REFUSED: dict[str, tuple[int, Any]] = {
    "identity, chunked": (501, lambda h: LINE + h + AUTH + b"transfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
    "chunked twice": (400, lambda h: LINE + h + AUTH + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n"),
    "chunked, gzip": (400, lambda h: LINE + h + AUTH + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "chunked in 1.0": (
        400,
        lambda h: LINE.replace(b"1.1", b"1.0") + h + AUTH + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "length and chunked": (
        400,
        lambda h: LINE + h + AUTH + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (400, lambda h: LINE + h + AUTH + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcde"),
    "two equal lengths": (400, lambda h: LINE + h + AUTH + b"content-length: 5\r\ncontent-length: 5\r\n\r\nabcde"),
    "negative length": (400, lambda h: LINE + h + AUTH + b"content-length: -5\r\n\r\nabcde"),
    "plus length": (400, lambda h: LINE + h + AUTH + b"content-length: +5\r\n\r\nabcde"),
    "length list": (400, lambda h: LINE + h + AUTH + b"content-length: 5, 5\r\n\r\nabcde"),
    "huge length": (400, lambda h: LINE + h + AUTH + b"content-length: 99999999999999999999999\r\n\r\n"),
    "no host": (400, lambda h: LINE + AUTH + b"content-length: 0\r\n\r\n"),
    "two hosts": (400, lambda h: LINE + h + h + AUTH + b"content-length: 0\r\n\r\n"),
    "absolute form": (
        400,
        lambda h: (
            b"POST http://127.0.0.1/anthropic/v1/messages HTTP/1.1\r\n" + h + AUTH + b"content-length: 0\r\n\r\n"
        ),
    ),
    "authority form": (501, lambda h: b"CONNECT example.com:443 HTTP/1.1\r\n" + h + AUTH + b"\r\n"),
    "asterisk form": (400, lambda h: b"OPTIONS * HTTP/1.1\r\n" + h + AUTH + b"\r\n"),
    "bare LF": (400, lambda h: LINE + h + AUTH + b"content-length: 0\n\n"),
    "folded header": (400, lambda h: LINE + h + AUTH + b"x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n"),
    "NUL in a header": (400, lambda h: LINE + h + AUTH + b"x-a: \x00\r\ncontent-length: 0\r\n\r\n"),
    "space before the colon": (400, lambda h: LINE + h + AUTH + b"content-length : 0\r\n\r\n"),
    "header without a name": (400, lambda h: LINE + h + AUTH + b": x\r\ncontent-length: 0\r\n\r\n"),
    "two megabytes of header": (431, lambda h: LINE + h + b"x-a: " + b"a" * 2_000_000 + b"\r\n\r\n"),
    "two megabytes of target": (431, lambda h: b"POST /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n" + h + b"\r\n"),
    "too many headers": (431, lambda h: LINE + h + b"".join(b"x-%d: y\r\n" % n for n in range(300)) + b"\r\n"),
    "an upgrade": (
        400,
        lambda h: LINE + h + AUTH + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n",
    ),
    "another expectation": (417, lambda h: LINE + h + AUTH + b"expect: tea\r\ncontent-length: 2\r\n\r\n{}"),
    "HTTP/2 preface": (400, lambda h: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a TLS hello": (501, lambda h: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "an unknown method": (501, lambda h: b"BREW /anthropic/v1/messages HTTP/1.1\r\n" + h + b"\r\n"),
    "a known but unserved method": (501, lambda h: b"TRACE / HTTP/1.1\r\n" + h + b"\r\n"),
    "HTTP/0.9": (505, lambda h: b"GET /\r\n\r\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_loose_request_is_refused_and_the_connection_ends(name: str) -> None:
    status, make = REFUSED[name]

    async def scenario() -> None:
        async with rig() as r:
            # a second request follows on the same connection: it must never be answered
            smuggled = b"GET /health HTTP/1.1\r\n" + host(r) + b"\r\n"
            got = await r.raw(make(host(r)) + smuggled)
            if got:
                assert statuses(got)[0] == status
                assert len(statuses(got)) == 1
                assert b"connection: close" in got
                assert b'"code":"bad-framing"' in got
            assert r.server.seen == []
            assert r.gateway.bodies.held == 0

    run(scenario())


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 29\r\n\r\n" + BODY,
        b"transfer-encoding: chunked\r\n\r\n1d\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n1d;ext=1\r\n" + BODY + b"\r\n0\r\nx-trailer: y\r\n\r\n",
        b"Content-Length: 29\r\nConnection: close\r\n\r\n" + BODY,
    ],
    ids=["length", "chunked", "chunk extension and trailer", "close"],
)
def test_strict_requests_reach_the_upstream_framed_by_length(head: bytes) -> None:
    async def scenario() -> None:
        async with rig() as r:
            closing = b"" if b"lose" in head else b"connection: close\r\n"
            got = await r.raw(LINE + host(r) + AUTH + closing + head)
            assert statuses(got) == [200]
            seen = r.server.seen[0]
            assert (seen.headers["content-length"], seen.body) == ("29", BODY)
            assert "transfer-encoding" not in seen.headers
            assert "x-trailer" not in seen.headers

    run(scenario())


def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    async def scenario() -> None:
        async with rig() as r:
            call = LINE + host(r) + AUTH + b"content-length: 29\r\n\r\n" + BODY
            health = b"GET /health HTTP/1.1\r\n" + host(r)
            unknown = b"GET /nowhere HTTP/1.1\r\n" + host(r) + b"\r\n"
            got = await r.raw(call + health + b"\r\n" + unknown + call + health + b"connection: close\r\n\r\n")
            assert statuses(got) == [200, 200, 404, 200, 200]
            assert len(r.server.seen) == 2

    run(scenario())


def test_http_1_0_is_answered_and_closed() -> None:
    async def scenario() -> None:
        async with rig() as r:
            head = LINE.replace(b"1.1", b"1.0") + host(r) + AUTH + b"content-length: 43\r\n\r\n"
            got = await r.raw(head + b'{"model":"m-1","messages":[],"stream":true}')
            assert got.startswith(b"HTTP/1.1 200")
            assert b"transfer-encoding" not in got
            assert got.endswith(b'data: {"type": "message_stop"}\n\n')

    run(scenario())


def test_expect_100_is_answered_before_the_body() -> None:
    async def scenario() -> None:
        async with rig() as r:
            reader, writer = await asyncio.open_connection("127.0.0.1", r.port)
            writer.write(LINE + host(r) + AUTH + b"expect: 100-continue\r\ncontent-length: 29\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()

    run(scenario())


def test_expect_100_without_a_key_is_refused_before_the_body() -> None:
    async def scenario() -> None:
        async with rig() as r:
            got = await r.raw(LINE + host(r) + b"expect: 100-continue\r\ncontent-length: 29000000\r\n\r\n", 6)
            assert statuses(got) == [401]

    run(scenario())


def test_a_body_without_a_key_is_never_held() -> None:
    async def scenario() -> None:
        async with rig() as r:
            reader, writer = await asyncio.open_connection("127.0.0.1", r.port)
            writer.write(LINE + host(r) + b"content-length: 20000000\r\n\r\n" + b"x" * 100_000)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 401")
            assert r.gateway.bodies.peak == 0
            writer.close()

    run(scenario())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate", "zstd"])
def test_compressed_requests_are_decoded(coding: str) -> None:
    import gzip

    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(BODY),
        "deflate": zlib.compress(BODY),
        "raw deflate": raw.compress(BODY) + raw.flush(),
        "zstd": zstd_module().compress(BODY),
    }[coding]

    async def scenario() -> None:
        async with rig() as r:
            name = coding.removeprefix("raw ")
            answer = await r.ask("/anthropic/v1/messages", packed, content_encoding=name)
            assert (answer.status, answer.json) == (200, ANSWER)
            assert r.server.seen[0].body == BODY
            assert "content-encoding" not in r.server.seen[0].headers

    run(scenario())


@pytest.mark.parametrize(("coding", "status"), [("br", 415), ("zstd", 400), ("gzip", 400), ("gzip, gzip", 415)])
def test_other_codings_are_refused(coding: str, status: int) -> None:
    async def scenario() -> None:
        async with rig() as r:
            assert (await r.ask("/anthropic/v1/messages", BODY, content_encoding=coding)).status == status

    run(scenario())


@pytest.mark.parametrize("coding", ["deflate", "zstd"])
def test_a_small_body_that_decodes_to_a_large_one_is_refused(coding: str) -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(max_body=1_000_000)) as r:
            bomb = (zlib if coding == "deflate" else zstd_module()).compress(b" " * 50_000_000)
            assert (await r.ask("/anthropic/v1/messages", bomb, content_encoding=coding)).status == 413

    run(scenario())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_a_413_in_the_dialects_form(chunked: bool) -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(max_body=100_000, tick_s=0.05, linger_s=0.3)) as r:
            if chunked:
                head = b"transfer-encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
                data = head + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 10
            else:
                data = b"content-length: 200000\r\n\r\n" + b"x" * 200_000
            got = await r.raw(LINE + host(r) + AUTH + data, 5)
            assert statuses(got) == [413]
            assert b"request_too_large" in got
            assert r.gateway.bodies.held == 0

    run(scenario())


def test_bodies_beyond_what_the_process_holds_are_a_503() -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(max_bodies=100_000, tick_s=0.05, linger_s=0.3)) as r:
            _, writer = await asyncio.open_connection("127.0.0.1", r.port)
            writer.write(LINE + host(r) + AUTH + b"content-length: 90000\r\n\r\n")
            await asyncio.sleep(0.1)
            got = await r.raw(LINE + host(r) + AUTH + b"content-length: 90000\r\n\r\n" + b"x" * 90_000, 5)
            assert statuses(got) == [503]
            writer.close()
            await asyncio.sleep(0.1)
            assert r.gateway.bodies.held == 0
            assert (await r.message()).status == 200

    run(scenario())


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /anthropic", LINE + b"host: x\r\n", LINE + b"x-a: b"],
    ids=["nothing", "line", "host", "half"],
)
def test_a_head_that_does_not_come_is_ended(sent: bytes) -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(tick_s=0.05, head_s=0.2, idle_s=0.3)) as r:
            got = await r.raw(sent, 5)
            assert statuses(got) in ([], [408])
            await r.settled()

    run(scenario())


def test_a_body_that_does_not_come_is_ended() -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(tick_s=0.05, body_s=0.2, linger_s=0.1)) as r:
            got = await r.raw(LINE + host(r) + AUTH + b"content-length: 1000\r\n\r\n{", 5)
            assert statuses(got) == [408]
            assert r.gateway.bodies.held == 0

    run(scenario())


def test_tiny_chunks_with_large_extensions_are_refused() -> None:
    async def scenario() -> None:
        async with rig() as r:
            chunk = b"1;" + b"e" * 4_000 + b"\r\n{\r\n"
            got = await r.raw(LINE + host(r) + AUTH + b"transfer-encoding: chunked\r\n\r\n" + chunk * 100)
            assert statuses(got) == [400]

    run(scenario())


def test_more_connections_than_allowed_are_closed() -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(tick_s=0.05, max_connections=2)) as r:
            first, second = await r.client(), await r.client()
            await asyncio.sleep(0.05)
            assert await r.raw(b"GET /health HTTP/1.1\r\n\r\n") == b""
            first.close()
            second.close()
            await asyncio.sleep(0.05)
            assert (await r.message()).status == 200

    run(scenario())


PIECES = st.lists(
    st.sampled_from(
        [
            LINE,
            AUTH,
            b"GET /health HTTP/1.1\r\n",
            b"host: HOST\r\n",
            b"content-length: 29\r\n",
            b"content-length: 5\r\n",
            b"transfer-encoding: chunked\r\n",
            b"transfer-encoding: identity\r\n",
            b"connection: close\r\n",
            b"\r\n",
            b"\n",
            b"\r",
            b"0\r\n\r\n",
            b"1d\r\n",
            BODY,
            b"\x00",
            b" ",
            b"x: y\r\n",
            b"HTTP/1.1 200 OK\r\n",
        ]
    ),
    max_size=14,
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=PIECES, seed=st.integers(0, 1000))
def test_no_bytes_crash_the_gateway_or_reach_the_upstream_unframed(pieces: list[bytes], seed: int) -> None:
    async def scenario() -> None:
        async with rig(limits=Limits(tick_s=0.02, head_s=0.1, body_s=0.1, idle_s=0.1, linger_s=0.1)) as r:
            data = b"".join(pieces).replace(b"HOST", b"127.0.0.1:%d" % r.port)
            cut = random.Random(seed).randint(0, len(data))
            reader, writer = await asyncio.open_connection("127.0.0.1", r.port)
            try:
                writer.write(data[:cut])
                await asyncio.sleep(0)
                writer.write(data[cut:])
                await asyncio.wait_for(reader.read(), 3)
            except ConnectionError:
                pass
            writer.close()
            assert all(seen.body == BODY for seen in r.server.seen)
            assert (await r.message()).status == 200
            assert r.gateway.bodies.held == 0

    run(scenario())
