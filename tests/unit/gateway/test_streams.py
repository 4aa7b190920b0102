"""Many streams at once, slow readers, and memory that stays bounded."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from typing import Any

import pytest

from moor.domain.call import CANCELLED, OK
from moor.domain.quirks import NO_STREAM_USAGE_WITHOUT_ASKING
from moor.gateway.limits import Limits
from tests.unit.gateway.rig import KEY, rig, run
from tests.unit.gateway.scripted import Seen, Talk, anthropic_events


@pytest.mark.feature("F3.21")
def test_twenty_streams_at_once_do_not_disturb_each_other() -> None:
    async def handler(talk: Talk, seen: Seen) -> None:
        number = seen.json["metadata"]["n"]
        await talk.stream(anthropic_events(*[f"{number}-{i}" for i in range(30)]), pause_s=0.002)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            answers = await asyncio.gather(*(r.message(stream=True, metadata={"n": n}) for n in range(20)))
            for number, answer in enumerate(answers):
                expected = b"".join(anthropic_events(*[f"{number}-{i}" for i in range(30)]))
                assert (answer.status, answer.body) == (200, expected)
            rows = await r.rows(20)
            assert {(row.outcome, row.usage.output) for row in rows} == {(OK, 30)}

    run(scenario())


def test_an_event_is_passed_on_before_the_next_one_is_made() -> None:
    events = anthropic_events("one", "two")

    async def scenario() -> None:
        go_on = asyncio.Event()

        async def handler(talk: Talk, _: Seen) -> None:
            await talk.stream(events[:3], end=False)
            await go_on.wait()
            for event in events[3:]:
                await talk.raw(b"%x\r\n%s\r\n" % (len(event), event))
            await talk.raw(b"0\r\n\r\n")

        async with rig(handler=handler) as r:
            client = await r.client()
            await client.send("POST", "/anthropic/v1/messages", body={"model": "m-1", "stream": True})
            got = b""
            while b"one" not in got:
                got += await asyncio.wait_for(client.reader.read(65536), 3)
            assert b"two" not in got
            go_on.set()
            while b"message_stop" not in got:
                got += await asyncio.wait_for(client.reader.read(65536), 3)
            client.close()

    run(scenario())


def test_an_agent_that_does_not_read_stops_the_upstream_and_not_the_memory() -> None:
    block = anthropic_events("x" * 4_000)[2] * 20

    async def scenario() -> None:
        sent = 0

        async def handler(talk: Talk, _: Seen) -> None:
            nonlocal sent
            await talk.stream([anthropic_events("a")[0]], end=False)
            for _ in range(2_000):
                await talk.raw(b"%x\r\n%s\r\n" % (len(block), block))
                sent += len(block)

        async with rig(handler=handler, limits=Limits(tick_s=0.05, stalled_s=1.0)) as r:
            reader, writer = await asyncio.open_connection("127.0.0.1", r.port, limit=4096)
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            body = b'{"model":"m-1","stream":true}'
            head = f"POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{r.port}\r\nx-api-key: {KEY}\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            await asyncio.sleep(0.6)
            stalled_at = sent
            assert stalled_at < 20_000_000  # socket buffers of two connections, and our own high-water mark
            await asyncio.sleep(0.2)
            assert sent == stalled_at
            row = (await r.rows())[0]  # an agent that never reads is given up, and its upstream call with it
            assert row.outcome == CANCELLED
            reader.feed_eof()
            writer.transport.abort()

    run(scenario())


def test_a_slow_reader_gets_everything() -> None:
    texts = ["x" * 2_000] * 400

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events(*texts))

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            client = await r.client()
            await client.send("POST", "/anthropic/v1/messages", body={"model": "m-1", "stream": True})
            await asyncio.sleep(0.5)
            answer = await client.receive()
            assert answer.body == b"".join(anthropic_events(*texts))
            client.close()

    run(scenario())


def test_dropped_streams_leave_nothing_behind() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(anthropic_events("hi")[:3], end=False)
        await talk.reader.read(1)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            for _ in range(5):
                clients = [await r.client() for _ in range(40)]
                for client in clients:
                    await client.send("POST", "/anthropic/v1/messages", body={"model": "m-1", "stream": True})
                await asyncio.gather(*(client.reader.readuntil(b"\r\n\r\n") for client in clients))
                for client in clients:
                    client.close()
                await r.settled()
            assert len(await r.rows(200)) == 200
            for _ in range(100):
                if not r.server.open:
                    break
                await asyncio.sleep(0.02)
            assert r.server.open == 0
            gc.collect()
            left = [
                found for found in gc.get_objects() if type(found).__name__ in ("Exchange", "Inbound", "Outbound")
            ]
            assert left == []

    run(scenario())


def chat(**fields: Any) -> dict[str, Any]:
    """One chat chunk."""
    return {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}], **fields}


CHUNKS = [
    chat(),
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
]


def chunk_events(*chunks: Any, end: str = "\n\n") -> list[bytes]:
    """Chunks as events, with the terminator."""
    return [f"data: {json.dumps(chunk)}{end}".encode() for chunk in chunks] + [f"data: [DONE]{end}".encode()]


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
@pytest.mark.parametrize("asked", [None, False, True])
def test_usage_of_a_chat_stream_is_asked_for_and_only_shown_to_who_asked(end: str, asked: bool | None) -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream(chunk_events(*CHUNKS, end=end))

    async def scenario() -> None:
        async with rig(handler=handler, quirks=frozenset({NO_STREAM_USAGE_WITHOUT_ASKING})) as r:
            body: dict[str, Any] = {"model": "m-1", "messages": [], "stream": True}
            if asked is not None:
                body["stream_options"] = {"include_usage": asked}
            answer = await r.ask("/openai/v1/chat/completions", body)
            assert r.server.seen[0].json["stream_options"] == {"include_usage": True}
            shown = chunk_events(*(CHUNKS if asked else CHUNKS[:2]), end=end)
            assert answer.body == b"".join(shown)
            row = (await r.rows())[0]
            assert (row.usage.input, row.usage.output, row.estimated) == (9, 4, False)
            assert row.rules == (() if asked else ("include-usage",))

    run(scenario())


def test_bytes_that_no_rule_changes_go_out_as_they_came() -> None:
    body = b'{ "model" : "m-1",\n "messages":[ {"role":"user","content":"\\u00e4 \xc3\xa4"} ], "x": 1.0e5 }'

    async def scenario() -> None:
        async with rig() as r:
            await r.ask("/anthropic/v1/messages", body)
            assert r.server.seen[0].body == body

    run(scenario())
