"""A repeated head is recognised by its bytes: only the very same one, and the key is looked up each time."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from moor.gateway.repeat import KnownHeads, RepeatedHead
from moor.gateway.request import BodyStore, Request
from tests.unit.gateway.rig import KEY, rig, run
from tests.unit.gateway.scripted import ANSWER
from tests.unit.gateway.test_framing import statuses

ANY = Request(BodyStore(1000), 0.0)
BODY = b'{"model":"m-1","messages":[]}'
LONGER = b'{"model":"m-1","messages":[],"x":"' + b"y" * 500 + b'"}'


def request(port: int, body: bytes, extra: bytes = b"", key: str = KEY, length: bytes = b"") -> bytes:
    """One call as an agent sends it."""
    return (
        b"POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nx-api-key: %s\r\n%scontent-length: %s\r\n\r\n"
        % (port, key.encode(), extra, length or b"%d" % len(body))
    ) + body


async def exchange(port: int, *parts: bytes, pause_s: float = 0.08) -> bytes:
    """Send the parts one after the other on one connection and return everything that came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause_s)
    writer.write_eof()
    with contextlib.suppress(ConnectionError):
        got = await asyncio.wait_for(reader.read(), 3)
    writer.close()
    return got


def test_the_same_head_with_other_bodies_reaches_the_upstream_each_time() -> None:
    async def scenario() -> None:
        async with rig() as r:
            bodies = [BODY, LONGER, BODY, LONGER, b'{"model":"m-1"}']
            got = await exchange(r.port, *(request(r.port, body) for body in bodies))
            assert statuses(got) == [200] * 5
            assert [seen.body for seen in r.server.seen] == bodies
            assert {row.request_bytes for row in r.ledger.rows} == {len(body) for body in bodies}

    run(scenario())


def test_a_body_that_comes_in_parts_is_read_by_the_parser() -> None:
    async def scenario() -> None:
        async with rig() as r:
            whole = request(r.port, LONGER)
            got = await exchange(r.port, request(r.port, BODY), whole[:300], whole[300:], request(r.port, BODY))
            assert statuses(got) == [200] * 3
            assert [seen.body for seen in r.server.seen] == [BODY, LONGER, BODY]

    run(scenario())


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (lambda port: request(port, BODY, b"origin: http://evil\r\n"), 403),
        (lambda port: request(port, BODY, b"transfer-encoding: chunked\r\n"), 400),
        (lambda port: request(port, BODY, key="moor-another-key-that-nobody-has"), 401),
        (lambda port: request(port, BODY, length=b"+29"), 400),
        (lambda port: request(port, BODY, length=b"29 "), 200),
        (lambda port: request(port, BODY, length=b"0x1d"), 400),
        (lambda port: request(port, BODY).replace(b"POST", b"PUT ", 1), 405),
        (lambda port: request(port, BODY).replace(b"/anthropic", b"/antropic"), 404),
        (lambda port: request(port, b'{"model":"secret"}'), 403),
    ],
)
def test_whatever_differs_is_examined(second: object, status: int) -> None:
    async def scenario() -> None:
        async with rig() as r:
            got = await exchange(r.port, request(r.port, BODY), second(r.port))  # type: ignore[operator]
            assert statuses(got)[:2] == [200, status]

    run(scenario())


def test_two_requests_in_one_read_teach_nothing_wrong() -> None:
    async def scenario() -> None:
        async with rig() as r:
            health = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: 0\r\n\r\n" % r.port
            call = request(r.port, BODY)
            got = await exchange(r.port, health + call, health, health, call, call + health, call)
            assert statuses(got) == [200] * 8
            assert len(r.server.seen) == 4
            assert got.count(b'{"status":"ok"}') == 4

    run(scenario())


def test_a_key_that_dies_between_two_equal_heads_is_refused() -> None:
    async def scenario() -> None:
        async with rig() as r:
            client = await r.client()
            for _ in range(3):
                answer = await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1"})
                assert answer.json == ANSWER
            r.keys.remove(r.session)
            assert (await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1"})).status == 401
            client.close()

    run(scenario())


def test_a_head_is_known_to_new_connections_and_its_key_is_looked_up_there_too() -> None:
    async def scenario() -> None:
        async with rig() as r:
            first, other = request(r.port, BODY), request(r.port, BODY, b"x-more: 1\r\n")
            assert statuses(await exchange(r.port, first)) == [200]
            known = r.gateway.heads.find(first)
            assert known is not None
            got = await asyncio.gather(*(exchange(r.port, request(r.port, LONGER)) for _ in range(4)))
            assert [statuses(one) for one in got] == [[200]] * 4
            assert statuses(await exchange(r.port, other, first, other)) == [200] * 3
            assert r.gateway.heads.find(first) is known, "it was learned again"
            r.keys.remove(r.session)
            assert statuses(await exchange(r.port, first)) == [401]

    run(scenario())


def test_few_heads_are_kept_and_each_once() -> None:
    heads = KnownHeads()
    made = [RepeatedHead(b"POST /%d HTTP/1.1\r\ncontent-length: " % number, b"\r\n\r\n", ANY) for number in range(20)]
    for head in [*made, made[15]]:
        heads.add(head)
    found = [heads.find(head.around[0] + b"2\r\n\r\n{}") for head in made]
    assert found == [None] * 12 + made[12:]
    assert heads.find(b"") is None
    assert heads.find(made[15].around[0] + b"2\r\nx: y\r\n\r\n{}") is None
