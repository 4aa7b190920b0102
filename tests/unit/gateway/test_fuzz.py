"""Whatever an upstream sends: the agent gets whole HTTP in time, the row is written, the gateway serves on."""

from __future__ import annotations

import asyncio
import gzip
import json
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moor.domain.call import OK, OUTCOMES
from moor.gateway.limits import Limits, Patience
from tests.support.fuzz import examples
from tests.unit.gateway.rig import make_session, rig, run
from tests.unit.gateway.scripted import ANSWER, Seen, Talk, anthropic_events

EVENTS = anthropic_events("hi", "ho")
WHOLE = json.dumps(ANSWER).encode()
HEADS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 529 Busy\r\n",
    b"HTTP/1.1 400 No\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 None\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 302 There\r\nlocation: http://127.0.0.1:1/\r\n",
    b"content-type: text/event-stream\r\n",
    b"content-type: application/json\r\n",
    b"content-type: text/html\r\n",
    b"transfer-encoding: chunked\r\n",
    b"content-length: %d\r\n" % len(WHOLE),
    b"content-length: 5\r\n",
    b"content-encoding: gzip\r\n",
    b"content-encoding: br\r\n",
    b"retry-after: 0\r\n",
    b"retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    b"connection: close\r\n",
    b"\r\n",
]
CONTENT = [
    *EVENTS,
    *(b"%x\r\n%s\r\n" % (len(event), event) for event in EVENTS),
    WHOLE,
    b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE),
    gzip.compress(WHOLE),
    b"0\r\n\r\n",
    b"ffffffff\r\n",
    b"\r\n\r\n",
    b"data: {",
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
    b"\xff\xfe\x00",
    b"data: [DONE]\n\n",
]
SENT = st.tuples(
    st.lists(st.sampled_from(HEADS), max_size=6),
    st.lists(st.sampled_from(CONTENT) | st.binary(max_size=40), max_size=8),
)
QUICK = Limits(
    tick_s=0.02, first_byte_s=0.3, between_s=0.3, linger_s=0.1, patience=Patience(attempts=2, first_pause_s=0.01)
)


@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=SENT, seed=st.integers(0, 1000), stream=st.booleans(), capped=st.booleans(), closes=st.booleans())
def test_no_bytes_of_an_upstream_crash_the_gateway_or_leave_a_call_without_end(
    sent: tuple[list[bytes], list[bytes]], seed: int, stream: bool, capped: bool, closes: bool
) -> None:
    wild = True

    async def handler(talk: Talk, _: Seen) -> None:
        if not wild:
            await talk.json(ANSWER)
            return
        data = b"".join(sent[0]) + b"\r\n" + b"".join(sent[1])
        cut = random.Random(seed).randint(0, len(data))
        await talk.raw(data[:cut])
        await asyncio.sleep(0)
        await talk.raw(data[cut:])
        if closes:
            talk.writer.close()

    async def scenario() -> None:
        nonlocal wild
        session = make_session(budget_nano=10**9) if capped else make_session()
        async with rig(handler=handler, limits=QUICK, session=session) as r:
            answer = await asyncio.wait_for(r.message(stream=stream), 10)
            assert 200 <= answer.status < 600
            row = (await r.rows(1))[0]
            assert row.outcome in OUTCOMES
            if row.outcome == OK:
                assert not answer.broken
            wild = False
            assert (await r.message()).status in (200, 403, 529)  # a model that failed may be left alone
            await r.rows(2)
            assert r.gateway.bodies.held == 0

    run(scenario())
